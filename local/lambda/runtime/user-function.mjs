/** Finds the function's handler, and reports what is wrong with it in the words of Lambda's Node.js runtime. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isStreaming } from './response-streaming.mjs'

const EXTENSIONS = ['', '.js', '.mjs', '.cjs']

/**
 * Loads `<folder/file>.<export>` from the task's root.
 * @returns {Promise<Function>}
 */
export async function loadHandler(taskRoot, handlerName) {
  if (handlerName.includes('..')) {
    throw runtimeError(
      'MalformedHandlerName',
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    )
  }
  const [, moduleName, exportName] = /^([^.]*)\.(.+)$/.exec(basename(handlerName)) ?? []
  if (exportName === undefined) throw runtimeError('MalformedHandlerName', `Bad handler ${handlerName}`)
  const loaded = await load(taskRoot, join(dirname(handlerName), moduleName))
  const handler = findExport(loaded, exportName) ?? findExport(loaded.default, exportName)
  if (handler === undefined) {
    // Not part of the error, whose words are Lambda's.
    const names = Object.keys(loaded).filter((name) => name !== 'module.exports')
    console.error(`${moduleName} exports ${names.join(', ') || 'nothing'}`)
    throw runtimeError('HandlerNotFound', `${handlerName} is undefined or not exported`)
  }
  if (typeof handler !== 'function') throw runtimeError('HandlerNotFound', `${handlerName} is not a function`)
  if (handler.length >= 3 && !isStreaming(handler) && process.env.AWS_EXECUTION_ENV !== 'AWS_Lambda_nodejs22.x') {
    throw runtimeError(
      'CallbackHandlerDeprecated',
      'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
    )
  }
  return handler
}

async function load(taskRoot, moduleName) {
  const path = resolve(taskRoot, moduleName)
  const extension = EXTENSIONS.find((candidate) => existsSync(path + candidate))
  try {
    if (extension !== undefined) return await import(pathToFileURL(path + extension).href)
    const require = createRequire(join(taskRoot, 'index.js'))
    return require(require.resolve(moduleName, { paths: [taskRoot] }))
  } catch (error) {
    if (error instanceof SyntaxError) throw runtimeError('UserCodeSyntaxError', String(error), error)
    // For ES modules the code is ERR_MODULE_NOT_FOUND, and Lambda reports that error unchanged.
    if (error?.code === 'MODULE_NOT_FOUND') throw runtimeError('ImportModuleError', String(error), error)
    throw error
  }
}

function findExport(loaded, exportName) {
  return exportName.split('.').reduce((found, key) => found?.[key], loaded)
}

function runtimeError(type, message, cause) {
  const error = new Error(message)
  error.name = `Runtime.${type}`
  if (cause !== undefined) error.stack = cause.stack
  return error
}
