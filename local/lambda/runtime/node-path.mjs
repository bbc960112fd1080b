/** For `node --import`: lets ESM `import` use NODE_PATH, which Lambda's patched Node does and plain Node does not. */
import { existsSync } from 'node:fs'
import { isBuiltin, registerHooks } from 'node:module'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// Packages are in folders of this name; Lambda's other entries are for CommonJS `require` only.
const folders = (process.env.NODE_PATH ?? '').split(delimiter).filter((folder) => basename(folder) === 'node_modules')

registerHooks({
  resolve(specifier, context, nextResolve) {
    // `require()` uses NODE_PATH itself.
    const name = context.conditions.includes('import') ? packageName(specifier) : undefined
    if (name === undefined || isBeside(context.parentURL, name)) return nextResolve(specifier, context)
    // As if imported from beside the folder.
    const folder = folders.find((candidate) => existsSync(join(candidate, name)))
    const parent = folder === undefined ? {} : { parentURL: pathToFileURL(join(dirname(folder), 'importer.mjs')).href }
    return nextResolve(specifier, { ...context, ...parent })
  },
})

/** Undefined for a path, a URL, an import of the package's own, and a module of Node's. */
function packageName(specifier) {
  if (isBuiltin(specifier)) return undefined
  return /^(?:@[^/]+\/)?[^./#@:][^/:]*(?=\/|$)/.exec(specifier)?.[0]
}

/** True when Node finds the package itself: in a folder `node_modules` at or above the importer. */
function isBeside(parentURL, name) {
  if (!parentURL?.startsWith('file:')) return true
  let folder = dirname(fileURLToPath(parentURL))
  while (!existsSync(join(folder, 'node_modules', name))) {
    const above = dirname(folder)
    if (above === folder) return false
    folder = above
  }
  return true
}
