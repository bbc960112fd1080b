/** esbuild splits no CommonJS: this plugin leaves some modules out of the bundle, to be files of their own. */
import { basename } from 'node:path'
import type { Plugin } from 'esbuild'

/** The AWS SDK's, so that a secret served otherwise never loads it. */
export const SEPARATE_FILES = ['secrets-manager']

/** Modules that such a file takes from `index.cjs`, because a second copy of a class breaks `instanceof`. */
const SHARED = ['./connection-error.ts']

/**
 * Makes `import('./<name>.ts')` a `require('./<name>.cjs')`, and what such a file shares a `require('./index.cjs')`.
 * Fails when it is imported in another way, or imports another module of ours: that would be bundled twice, and have two states.
 */
export const separateFiles: Plugin = {
  name: 'separate-files',
  setup({ onResolve }) {
    const names = new Set(SEPARATE_FILES.map((name) => `${name}.ts`))
    onResolve({ filter: /^\.\/.*\.ts$/ }, ({ path, importer, kind }) => {
      const name = path.slice('./'.length)
      if (names.has(name)) {
        if (kind === 'dynamic-import') return { path: path.replace(/\.ts$/, '.cjs'), external: true }
        return { errors: [{ text: `${name} must be loaded by import(), so that it can be a file of its own` }] }
      }
      if (!names.has(basename(importer))) return undefined
      if (SHARED.includes(path)) return { path: './index.cjs', external: true }
      return { errors: [{ text: `${basename(importer)} may import, of our modules, only ${SHARED.join(', ')}` }] }
    })
  },
}
