/** Modules of ours that run when their first export is used, so that they do not delay what is needed before. */
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { exportedNames } from './exported-names.ts'

/**
 * Below `src/`. The pool: not needed until the request for the secret has been sent; bench/README.md has the gain. And our
 * copy of pg: not needed where the function has its own.
 */
const LAZY_MODULES = ['pool/pool.ts', 'pool/bundled-pg.ts']

/**
 * Replaces such a module with an object that has a getter for each export; the first getter that is read runs the module.
 * Fails when nothing imports one, so that a renamed module is noticed.
 *
 * @param source the folder `src/`
 */
export function lazyModules(source: string): Plugin {
  return {
    name: 'lazy-modules',
    setup({ onResolve, onLoad, onEnd }) {
      const unused = new Set(LAZY_MODULES)
      onResolve({ filter: /\/(?:pool|bundled-pg)\.ts$/ }, ({ path, resolveDir, kind }) => {
        const module = LAZY_MODULES.find((name) => join(source, name) === join(resolveDir, path))
        // The getters themselves use require().
        if (kind !== 'import-statement' || module === undefined) return undefined
        unused.delete(module)
        return { path: module, namespace: 'lazy' }
      })
      onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path }) => {
        const names = await exportedNames(join(source, path))
        const getters = names.map((name) => `get ${name}() { return require('./${path}').${name} }`)
        return { contents: `module.exports = { ${getters.join(', ')} }`, resolveDir: source }
      })
      onEnd(() => ({ errors: [...unused].map((module) => ({ text: `nothing imports ${module}` })) }))
    },
  }
}
