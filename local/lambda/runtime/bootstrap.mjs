/** The runtime of a local execution environment: loads the handler, then asks for one invocation after the other. */
import { text } from 'node:stream/consumers'
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { isStreaming, streamResponse } from './response-streaming.mjs'
import { loadHandler } from './user-function.mjs'

// Not imported: a namespace of this module has Node load all that is behind its properties, `fetch` and `WebSocket` too.
const { Agent, request: httpRequest } = process.getBuiltinModule('node:http')

const { AWS_LAMBDA_RUNTIME_API, LAMBDA_TASK_ROOT, _HANDLER, AWS_EXECUTION_ENV } = process.env
const { AWS_LAMBDA_MAX_CONCURRENCY, AWS_LAMBDA_NODEJS_WORKER_COUNT } = process.env
const RUNTIME_API = `http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`
const takesCallbacks = AWS_EXECUTION_ENV === 'AWS_Lambda_nodejs22.x'
const agent = new Agent({ keepAlive: true })

// The real clock: a test that moves the function's clock does not move its deadline.
const { now } = Date
const forever = new Promise(() => {})

/** The path to which an uncaught error is reported. */
let errorPath = 'init/error'
/** True while such an error is reported. Lambda's runtime blocks meanwhile, so nothing else may run here either. */
let isEnding = false

process.on('uncaughtException', (error) => void reportAndExit('Uncaught Exception', error, 129))
process.on('unhandledRejection', (reason) => {
  const error = Object.assign(new Error(String(reason)), { name: 'Runtime.UnhandledPromiseRejection', reason })
  if (reason instanceof Error) error.stack = reason.stack
  void reportAndExit('Unhandled Promise Rejection', error, 128)
})

let handler
if (isMainThread && AWS_LAMBDA_MAX_CONCURRENCY !== undefined) startWorkers()
else await serve(workerData?.loops ?? 1)

/** On Managed Instances the main thread only starts its workers, each with modules and loops of its own. */
function startWorkers() {
  const count = Number(AWS_LAMBDA_NODEJS_WORKER_COUNT)
  for (let index = 0; index < count; index += 1) {
    const loops = Math.floor((Number(AWS_LAMBDA_MAX_CONCURRENCY) + index) / count)
    new Worker(new URL(import.meta.url), { workerData: { loops } }).on('exit', (code) => process.exit(code))
  }
}

/** Asks for one invocation after the other; several times side by side on Managed Instances. */
async function serve(loops) {
  handler = await loadHandler(LAMBDA_TASK_ROOT, _HANDLER).catch((error) =>
    reportAndExit('Uncaught Exception', error, 1),
  )
  const loop = async () => {
    while (true) await handleOne(await exchange('GET', 'invocation/next'))
  }
  await Promise.all(Array.from({ length: loops }, loop))
}

async function handleOne({ headers, body }) {
  const requestId = headers['lambda-runtime-aws-request-id']
  const ownErrorPath = `invocation/${requestId}/error`
  errorPath = ownErrorPath
  process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id']
  try {
    const context = makeContext(headers)
    const event = JSON.parse(body)
    if (isStreaming(handler)) {
      const url = `${RUNTIME_API}/invocation/${requestId}/response`
      return await streamResponse(url, agent, (stream) => handler(event, stream, context))
    }
    const result = await (takesCallbacks ? invokeWithCallback(event, context) : handler(event, context))
    await exchange('POST', `invocation/${requestId}/response`, stringify(result))
  } catch (error) {
    logError('Invoke Error', error)
    await exchange('POST', ownErrorPath, JSON.stringify(format(error)))
  }
}

/** Node 22's ways to answer: a promise, a callback, or an event loop that ran empty. */
function invokeWithCallback(event, context) {
  return new Promise((resolve, reject) => {
    const onEmpty = () => resolve(null)
    process.once('beforeExit', onEmpty)
    const settled = (settle) => (value) => {
      process.off('beforeExit', onEmpty)
      settle(value)
    }
    const result = handler(event, context, (error, value) => {
      process.off('beforeExit', onEmpty)
      if (error !== null && error !== undefined) reject(error)
      // With an open socket this never comes, and the invocation times out: on Lambda as here.
      else if (context.callbackWaitsForEmptyEventLoop) process.once('beforeExit', () => resolve(value))
      else resolve(value)
    })
    if (typeof result?.then === 'function') result.then(settled(resolve), settled(reject))
  })
}

function makeContext(headers) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms'])
  return {
    ...(takesCallbacks && { callbackWaitsForEmptyEventLoop: true }),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: undefined,
    identity: undefined,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadlineMs - now(),
  }
}

/** One request to the Runtime API, unless the process is about to end. */
async function exchange(method, path, body) {
  const answer = isEnding ? forever : call(method, path, body)
  return await answer.then((value) => (isEnding ? forever : value))
}

/** One request to the Runtime API. Without an answer the environment has ended, and the process ends too. */
function call(method, path, body) {
  return new Promise((resolve) => {
    const gone = () => process.exit(1)
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' }
    const request = httpRequest(`${RUNTIME_API}/${path}`, { method, agent, headers }, (response) => {
      text(response).then((body) => resolve({ headers: response.headers, body }), gone)
    })
    request.on('error', gone)
    request.end(body)
  })
}

async function reportAndExit(title, error, exitCode) {
  isEnding = true
  logError(title, error)
  await call('POST', errorPath, JSON.stringify(format(error)))
  process.exit(exitCode)
}

function stringify(result) {
  try {
    return JSON.stringify(result ?? null)
  } catch {
    throw new Error('Unable to stringify response body')
  }
}

/** An error as the caller gets it. */
function format(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] }
  return { errorType: error.name, errorMessage: error.message, trace: error.stack?.split('\n') ?? [] }
}

/** An error as the log gets it, with all its own properties: tests look there for what must not be printed. */
function logError(title, error) {
  try {
    console.error(`${title}\t${JSON.stringify(error, (_, value) => withProperties(value))}`)
  } catch {
    console.error(`${title}\t${JSON.stringify(format(error))}`)
  }
}

function withProperties(value) {
  if (!(value instanceof Error)) return value
  const { errorType, errorMessage, trace } = format(value)
  return { errorType, errorMessage, code: value.code, ...value, stack: trace }
}
