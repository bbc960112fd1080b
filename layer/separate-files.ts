/** esbuild splits no CommonJS: this plugin leaves some modules out of the bundle, to be files of their own. */
import { basename, join, relative } from 'node:path'
import type { Plugin } from 'esbuild'

/** Loaded only when they are needed: the reader that uses the AWS SDK, the metrics, and tokens of STS. Below `src/`, without the ending. */
const SEPARATE_MODULES = ['secret/reader/secrets-manager', 'lambda/metrics', 'password-source/jwt']

/** Modules that such a file imports from `index.cjs`, because a second copy of a class breaks `instanceof`. */
const SHARED = ['base/connection-error']

/** Constants, and what keeps its state outside, of which such a file has a copy. */
const COPIED = ['base/verified-tls', 'base/metric-names', 'base/process-wide']

/** The separate modules as esbuild's entry points: flat, beside `index.cjs`. */
export function separateEntryPoints(source: string): readonly { in: string; out: string }[] {
  return SEPARATE_MODULES.map((module) => ({ in: join(source, `${module}.ts`), out: basename(module) }))
}

/**
 * Turns `import()` of such a module into `require('./<name>.cjs')`, and its imports of shared modules into `require('./index.cjs')`.
 * Fails when it is imported in another way, or imports another module of ours: that would be bundled twice, and have two states.
 *
 * @param source the folder `src/`
 */
export function separateFiles(source: string): Plugin {
  const moduleOf = (path: string): string => relative(source, path).replaceAll('\\', '/').replace(/\.ts$/, '')
  return {
    name: 'separate-files',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer, resolveDir, kind }) => {
        const module = moduleOf(join(resolveDir, path))
        if (SEPARATE_MODULES.includes(module)) {
          if (kind === 'dynamic-import') return { path: `./${basename(module)}.cjs`, external: true }
          return { errors: [{ text: `${module}.ts must be loaded by import(), so that it can be a file of its own` }] }
        }
        if (!SEPARATE_MODULES.includes(moduleOf(importer))) return undefined
        if (SHARED.includes(module)) return { path: './index.cjs', external: true }
        if (COPIED.includes(module)) return undefined
        const allowed = [...SHARED, ...COPIED].join(', ')
        return { errors: [{ text: `${moduleOf(importer)}.ts may import, of our modules, only ${allowed}` }] }
      })
    },
  }
}
