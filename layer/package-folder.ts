/** Fills the npm package's part of `dist/`: library, constructs, the command, the functions of the constructs and the types. */

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { bundleCommand } from './command-bundle.ts'
import { exportedNames } from './exported-names.ts'
import { type BuildFolders, bundleLibrary, COMMONJS, reExport } from './library-bundle.ts'
import { bundleRotation } from './rotation-bundle.ts'

/** Builds the npm package's JavaScript and types; `pg`, the AWS SDK and the CDK stay dependencies. */
export async function buildPackage({ repository, out }: BuildFolders): Promise<void> {
  await Promise.all([
    bundleLibrary({ repository, out }, { packages: 'external' }),
    bundleConstructs({ repository, out }),
    bundleHealthCheck({ repository, out }),
    bundleRotation({ repository, out }),
    bundleCommand({ repository, out }),
  ])
  for (const [entry, folder] of [
    ['src/index.ts', out],
    ['cdk/index.ts', join(out, 'cdk')],
  ] as const) {
    writeFileSync(join(folder, 'index.mjs'), reExport('index.cjs', await exportedNames(join(repository, entry))))
  }
  emitTypes({ repository, out })
}

async function bundleConstructs({ repository, out }: BuildFolders): Promise<void> {
  await build({
    ...COMMONJS,
    absWorkingDir: repository,
    entryPoints: [join(repository, 'cdk/index.ts')],
    packages: 'external',
    outfile: join(out, 'cdk/index.cjs'),
  })
}

/** The sample stack's function: an ES module that finds the library in the layer. */
async function bundleHealthCheck({ repository, out }: BuildFolders): Promise<void> {
  await build({
    absWorkingDir: repository,
    entryPoints: [join(repository, 'cdk/health-check-handler.ts')],
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    charset: 'utf8',
    external: ['cockroach-lambda'],
    // tsconfig.json maps the library's name to its sources; here it has to stay a name.
    tsconfigRaw: {},
    outfile: join(out, 'health-check/index.mjs'),
    logLevel: 'warning',
  })
}

/** Declarations once as ES modules, and a copy that a package.json makes CommonJS. */
function emitTypes({ repository, out }: BuildFolders): void {
  const types = join(out, 'types')
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', join(repository, 'tsconfig.declarations.json'), '--outDir', types], {
    stdio: 'inherit',
  })
  const typesCjs = join(out, 'types-cjs')
  cpSync(types, typesCjs, { recursive: true })
  mkdirSync(typesCjs, { recursive: true })
  writeFileSync(join(typesCjs, 'package.json'), '{ "type": "commonjs" }\n')
}
