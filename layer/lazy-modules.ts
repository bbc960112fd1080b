/** Modules of ours that run when their first export is used: what is not needed yet must not hold up what is. */
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { exportedNames } from './exported-names.ts'

/** The pool, and pg below it: not needed until a request for the secret has left. Below `src/`. */
const LAZY_MODULES = ['pool/pool.ts']

/**
 * Puts an object with a getter for each export in the place of such a module; the first one asked runs the module.
 * Fails when nothing imports one, so that a new name cannot undo it unseen.
 *
 * @param source the folder `src/`
 */
export function lazyModules(source: string): Plugin {
  return {
    name: 'lazy-modules',
    setup({ onResolve, onLoad, onEnd }) {
      const unused = new Set(LAZY_MODULES)
      onResolve({ filter: /\/pool\.ts$/ }, ({ path, resolveDir, kind }) => {
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
