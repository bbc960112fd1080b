/** For `node --import`: lets ESM `import` use NODE_PATH, which Lambda's patched Node does and plain Node does not. */
import { registerHooks } from 'node:module'
import { basename, delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

// Packages are in folders of this name; Lambda's other entries are for CommonJS `require` only.
const folders = (process.env.NODE_PATH ?? '').split(delimiter).filter((folder) => basename(folder) === 'node_modules')

registerHooks({
  resolve(specifier, context, nextResolve) {
    try {
      return nextResolve(specifier, context)
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^([./#]|[a-z]+:)/.test(specifier)) throw error
      for (const folder of folders) {
        const found = resolveIn(folder, specifier, context, nextResolve)
        if (found !== undefined) return found
      }
      throw error
    }
  },
})

/** Resolves as if imported from beside the folder; a package that a folder further up holds does not count. */
function resolveIn(folder, specifier, context, nextResolve) {
  try {
    const parentURL = pathToFileURL(join(dirname(folder), 'importer.mjs')).href
    const found = nextResolve(specifier, { ...context, parentURL })
    return found.url.startsWith(`${pathToFileURL(folder).href}/`) ? found : undefined
  } catch (error) {
    if (error.code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
