/** esbuild splits no CommonJS: this plugin leaves one module out of the bundle, to be its own file. */

import { basename } from 'node:path'
import type { Plugin } from 'esbuild'

/** Modules that the chunk takes from `index.cjs`, because a second copy of a class breaks `instanceof`. */
const SHARED = ['./connection-error.ts']

/**
 * Makes `import('./<name>.ts')` a `require('./<name>.cjs')`, and what the chunk shares a `require('./index.cjs')`.
 * @param name the module's file name without its ending.
 * @throws when the chunk imports another module of ours: it would be bundled twice and have two states.
 */
export function lazyChunk(name: string): Plugin {
  return {
    name: 'lazy-chunk',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/.*\.ts$/ }, ({ path, importer, kind }) => {
        if (path === `./${name}.ts`) {
          if (kind === 'dynamic-import') return { path: `./${name}.cjs`, external: true }
          return { errors: [{ text: `${path} must be loaded by import(), so that it can be a file of its own` }] }
        }
        if (basename(importer) !== `${name}.ts`) return undefined
        if (SHARED.includes(path)) return { path: './index.cjs', external: true }
        return { errors: [{ text: `${name}.ts may import at run time, of our modules, only ${SHARED.join(', ')}` }] }
      })
    },
  }
}
