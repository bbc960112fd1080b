/** The npm package's JavaScript: our sources in two CommonJS files, and a thin ES module over them. */

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import { lazyModules } from './lazy-modules.ts'
import { separateEntryPoints, separateFiles } from './separate-files.ts'

/** The folder of the sources, and the folder to build into. */
export interface BuildFolders {
  /** The folder that contains `src/`, `cdk/` and `certs/`. */
  readonly repository: string
  /** The folder to fill, usually `dist`. */
  readonly out: string
}

const MODULE_DIRECTORY = fileURLToPath(new URL('./module-directory.ts', import.meta.url))

/** esbuild's options for each of our CommonJS bundles. */
export const COMMONJS: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  // One character beyond Latin would have V8 keep two bytes for each.
  charset: 'ascii',
  // `import.meta` is empty in CommonJS: spell the property that we use, and fail on any other.
  define: { 'import.meta.dirname': '__dirname' },
  logOverride: { 'empty-import-meta': 'error' },
  // `import()` of a CommonJS file would start Node's ES module loader; `require` does not, and shares its cache.
  supported: { 'dynamic-import': false },
  logLevel: 'warning',
  metafile: true,
}

/**
 * Bundles `src/index.ts`, and the modules that stay files of their own, to `.cjs` files side by side.
 * @param options esbuild's options that differ: what stays external, what is replaced.
 * @returns the folders of the packages whose code went in, relative to the repository.
 */
export async function bundleLibrary(folders: BuildFolders, options: BuildOptions): Promise<readonly string[]> {
  const source = join(folders.repository, 'src')
  const { metafile } = await build({
    ...COMMONJS,
    ...options,
    define: {
      ...COMMONJS.define,
      'import.meta.dirname': 'importMetaDirname',
      EXTENSION_WORKER: JSON.stringify(await extensionWorker(folders)),
      ...options.define,
    },
    inject: [MODULE_DIRECTORY],
    absWorkingDir: folders.repository,
    entryPoints: [{ in: join(source, 'index.ts'), out: 'index' }, ...separateEntryPoints(source)],
    outdir: folders.out,
    outExtension: { '.js': '.cjs' },
    plugins: [separateFiles(source), lazyModules(source), ...(options.plugins ?? [])],
  })
  return Object.values(metafile?.outputs ?? {}).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  )
}

/** The code of the worker thread that registers for shutdown, in one line. */
async function extensionWorker({ repository }: BuildFolders): Promise<string> {
  const { outputFiles } = await build({
    ...COMMONJS,
    minify: true,
    write: false,
    entryPoints: [join(repository, 'src/lambda/extension-worker.ts')],
  })
  return outputFiles?.map(({ text }) => text.trim()).join('') ?? ''
}

/** The text of an ES module that exports `names` from the CommonJS file beside it, so that `import` and `require` share one instance. */
export function reExport(file: string, names: readonly string[]): string {
  return `export {\n${names.map((name) => `  ${name},\n`).join('')}} from './${file}'\n`
}

/**
 * The same by `require`: Node reads a CommonJS file that is imported a second time, to find its exports. For the layer
 * only, since a bundler cannot follow it.
 */
export function reExportRequired(file: string, names: readonly string[]): string {
  const require = `createRequire(import.meta.url)('./${file}')`
  return `import { createRequire } from 'node:module'\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = ${require}\n`
}
