/** Modules of ours that run when their first export is used: what is not needed yet must not hold up what is. */
import { basename, join } from 'node:path'
import type { Plugin } from 'esbuild'
import { exportedNames } from './exported-names.ts'

/** pg, and the pool over it: not needed until a request for the secret has left. */
const LAZY_MODULES = ['pg', 'pool']

/**
 * Puts an object with a getter for each export in the place of such a module; the first one asked runs the module.
 * Fails when nothing imports one, so that a new name cannot undo it unseen.
 */
export const lazyModules: Plugin = {
  name: 'lazy-modules',
  setup({ onResolve, onLoad, onEnd }) {
    const unused = new Set(LAZY_MODULES)
    const filter = new RegExp(`^\\./(?:${LAZY_MODULES.join('|')})\\.ts$`)
    onResolve({ filter }, ({ path, resolveDir, kind }) => {
      // The getters themselves use require().
      if (kind !== 'import-statement') return undefined
      unused.delete(basename(path, '.ts'))
      return { path, namespace: 'lazy', pluginData: resolveDir }
    })
    onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path, pluginData: resolveDir }) => {
      const names = await exportedNames(join(resolveDir, path))
      const getters = names.map((name) => `get ${name}() { return require('${path}').${name} }`)
      return { contents: `module.exports = { ${getters.join(', ')} }`, resolveDir }
    })
    onEnd(() => ({ errors: [...unused].map((name) => ({ text: `nothing imports ./${name}.ts` })) }))
  },
}
