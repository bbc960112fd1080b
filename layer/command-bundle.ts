/** The command of the npm package: one CommonJS file, which starts faster than an ES module; it is not in the layer. */
import { chmodSync, cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BuildOptions, build, type Plugin } from 'esbuild'
import { type BuildFolders, COMMONJS } from './library-bundle.ts'
import { licensesText } from './licenses.ts'

/** Has a client of the AWS SDK in it, which would make every start of the command slower. */
const SEPARATE = { module: 'cli/doctor/invoke-function.ts', file: 'cli-invoke.cjs' }

const leaveOutSeparate: Plugin = {
  name: 'leave-out-separate',
  setup({ onResolve }) {
    onResolve({ filter: /\/invoke-function\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `./${SEPARATE.file}`, external: true } : undefined,
    )
  },
}

/** Bundles `cli/main.ts` with the rooms of `src/` and the prompt; `pg` and the package's own part of the SDK stay dependencies. */
export async function bundleCommand({ repository, out }: BuildFolders): Promise<void> {
  const shared: BuildOptions = { ...COMMONJS, absWorkingDir: repository, legalComments: 'none' }
  const command = join(out, 'cli.cjs')
  const built = await Promise.all([
    build({
      ...shared,
      entryPoints: [join(repository, 'cli/main.ts')],
      external: ['pg', '@aws-sdk/client-secrets-manager'],
      banner: { js: '#!/usr/bin/env node' },
      plugins: [leaveOutSeparate],
      outfile: command,
    }),
    build({
      ...shared,
      entryPoints: [join(repository, SEPARATE.module)],
      minify: true,
      outfile: join(out, SEPARATE.file),
    }),
  ])
  chmodSync(command, 0o755)
  cpSync(join(repository, 'cli/templates'), join(out, 'templates'), { recursive: true })
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile?.inputs ?? {}))
  writeFileSync(join(out, 'cli-licenses.txt'), licensesText(repository, inputs))
}
