/** For `node --import`: records when the runtime begins to load the function's module, and on request what is loaded. */
import { statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const { BENCH_COUNTS_MODULES, LAMBDA_TASK_ROOT } = process.env
const task = `${pathToFileURL(LAMBDA_TASK_ROOT).href}/`
const files = new Set()

const hooks = registerHooks({
  resolve(specifier, context, nextResolve) {
    if (globalThis.loadingBeganMs === undefined && specifier.startsWith(task)) {
      // A hook makes every import slower: it is gone before the first one that counts, unless all are counted.
      if (BENCH_COUNTS_MODULES === undefined) hooks.deregister()
      else count()
      globalThis.processorBefore = process.cpuUsage()
      // Not performance.now(), which has Node load a module that the function may not need.
      globalThis.loadingBeganMs = process.uptime() * 1000
    }
    return nextResolve(specifier, context)
  },
  load(url, context, nextLoad) {
    if (globalThis.loadingBeganMs !== undefined && url.startsWith('file:')) files.add(fileURLToPath(url))
    return nextLoad(url, context)
  },
})

function count() {
  const builtinsBefore = process.moduleLoadList.length
  globalThis.countModules = () => ({
    modules: files.size,
    bytes: [...files].reduce((sum, file) => sum + statSync(file).size, 0),
    builtins: process.moduleLoadList.slice(builtinsBefore).filter((name) => name.startsWith('NativeModule')).length,
  })
}
