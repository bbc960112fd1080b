/** Lambda's Runtime API for one process: invocations out, responses and errors in. @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { answerJson, LoopbackHttpServer } from '../loopback/http-server.ts'
import { EXTENSIONS_API, ExtensionsApi, type ExtensionsApiOptions } from './extensions-api.ts'
import { type FunctionError, parseFunctionError } from './function-error.ts'

const RUNTIME_API = '/2018-06-01/runtime/'
/** Lambda's quota for a buffered response, and a little more for the envelope. */
const MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100

export interface Invocation {
  readonly requestId: string
  /** JSON. */
  readonly event: string
  /** Milliseconds since the epoch. */
  readonly deadlineMs: number
  readonly invokedFunctionArn: string
  readonly traceId: string
}

/** What a function answered: JSON text, or an error. */
export type Answer = { readonly payload: string } | { readonly error: FunctionError }

/** An invocation that has been sent. */
export interface Dispatched {
  /** Settles when the invocation has been written to the runtime's socket. */
  readonly sent: Promise<void>
  /** Settles when the runtime has posted a response or an error. */
  readonly answered: Promise<Answer>
}

type RuntimeApiOptions = Pick<ExtensionsApiOptions, 'external' | 'metadata'> & {
  /** Managed Instances: how often the runtime asks for an invocation at the same time. */
  readonly maxConcurrency: number | undefined
}

export class RuntimeApi {
  readonly extensions: ExtensionsApi
  /** Settles when the runtime or an extension reports that it could not start. */
  readonly initError: Promise<FunctionError>
  readonly #reportInitError: (error: FunctionError) => void
  readonly #pending = new Map<string, (answer: Answer) => void>()
  /** Responses to `invocation/next` that wait for an invocation; several on Managed Instances. */
  readonly #next: ServerResponse[] = []
  /** The response to `restore/next`, which a runtime may ask for at the end of init: its answer is the restore. */
  #restore: ServerResponse | undefined
  readonly #watchers = new Set<() => void>()
  readonly #maxConcurrency: number | undefined
  #server: LoopbackHttpServer | undefined

  private constructor(options: RuntimeApiOptions) {
    const initError = Promise.withResolvers<FunctionError>()
    this.initError = initError.promise
    this.#reportInitError = initError.resolve
    this.#maxConcurrency = options.maxConcurrency
    this.extensions = new ExtensionsApi({
      ...options,
      onChange: () => this.#notify(),
      onError: this.#reportInitError,
    })
  }

  static async start(options: RuntimeApiOptions): Promise<RuntimeApi> {
    const api = new RuntimeApi(options)
    api.#server = await LoopbackHttpServer.start((request, response) => api.#handle(request, response))
    return api
  }

  /** The value of AWS_LAMBDA_RUNTIME_API. */
  get address(): string {
    return `127.0.0.1:${this.#server?.port}`
  }

  /** The runtime and every extension wait for what comes next: the init phase, or an invocation, has ended. */
  async whenIdle(): Promise<void> {
    const isWaiting = () => this.#next.length >= (this.#maxConcurrency ?? 1) || this.#restore !== undefined
    await this.#when(() => isWaiting() && this.extensions.isIdle)
  }

  /** Answers `restore/next`; false where the runtime did not ask for it. @see https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-custom.html */
  restore(): boolean {
    const restore = this.#restore
    this.#restore = undefined
    restore?.writeHead(200).end()
    return restore !== undefined
  }

  async whenExternalExtensionsRegistered(): Promise<void> {
    await this.#when(() => this.extensions.externalRegistered)
  }

  /** Sends an invocation to the runtime, as soon as it asks for one, and to the extensions that registered for INVOKE. */
  async dispatch(invocation: Invocation): Promise<Dispatched> {
    const next = await this.#takeNext()
    const { requestId, deadlineMs, invokedFunctionArn, traceId } = invocation
    const { promise: answered, resolve: answer } = Promise.withResolvers<Answer>()
    this.#pending.set(requestId, answer)
    const { promise: sent, resolve: onSent } = Promise.withResolvers<void>()
    next.writeHead(200, {
      'Content-Type': 'application/json',
      'Lambda-Runtime-Aws-Request-Id': requestId,
      'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': invokedFunctionArn,
      'Lambda-Runtime-Trace-Id': traceId,
    })
    next.end(invocation.event, onSent)
    const tracing = { type: 'X-Amzn-Trace-Id', value: traceId }
    // On Managed Instances extensions get no INVOKE events.
    if (this.#maxConcurrency === undefined) {
      this.extensions.send({ eventType: 'INVOKE', deadlineMs, requestId, invokedFunctionArn, tracing })
    }
    return { sent, answered }
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  /** After an answer, a loop of the runtime may still be about to ask for the next invocation. */
  async #takeNext(): Promise<ServerResponse> {
    while (true) {
      const next = this.#next.shift()
      if (next !== undefined) return next
      await this.#when(() => this.#next.length > 0)
    }
  }

  async #when(condition: () => boolean): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const watcher = () => {
        if (!condition()) return
        this.#watchers.delete(watcher)
        resolve()
      }
      this.#watchers.add(watcher)
    })
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? ''
    // A process that is killed in the middle of a request is not an error here.
    request.on('error', () => {})
    response.on('error', () => {})
    if (url.startsWith(EXTENSIONS_API)) return this.extensions.handle(request, response).catch(() => {})
    const route = `${request.method} ${url.startsWith(RUNTIME_API) ? url.slice(RUNTIME_API.length) : url}`
    if (route === 'GET invocation/next') {
      this.extensions.registrationClosed = true
      this.#next.push(response)
      return this.#notify()
    }
    if (route === 'GET restore/next') {
      this.extensions.registrationClosed = true
      this.#restore = response
      return this.#notify()
    }
    const body = await text(request).catch(() => undefined)
    if (body === undefined) return
    if (route === 'POST init/error' || route === 'POST restore/error') {
      answerJson(response, 202, { status: 'OK' })
      return this.#reportInitError(parseFunctionError(body))
    }
    const [, requestId = '', kind] = /^POST invocation\/([^/]+)\/(response|error)$/.exec(route) ?? []
    if (kind === undefined) response.writeHead(404).end('404 page not found')
    else if (kind === 'error') this.#answer(requestId, { error: parseFunctionError(body) }, response)
    else {
      // A stream is any text; the other answers are JSON.
      const isStream = request.headers['lambda-runtime-function-response-mode'] === 'streaming'
      this.#answer(requestId, { payload: isStream ? JSON.stringify(body) : body }, response)
    }
  }

  #answer(requestId: string, answer: Answer, response: ServerResponse): void {
    const resolve = this.#pending.get(requestId)
    this.#pending.delete(requestId)
    if (resolve === undefined) {
      answerJson(response, 400, { errorType: 'InvalidRequestID', errorMessage: 'Invalid request ID' })
    } else if ('payload' in answer && Buffer.byteLength(answer.payload) > MAX_RESPONSE_BYTES) {
      const errorMessage = `Response payload size exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`
      answerJson(response, 413, { errorType: 'RequestEntityTooLarge', errorMessage })
      resolve({ error: { errorType: 'Function.ResponseSizeTooLarge', errorMessage } })
    } else {
      answerJson(response, 202, { status: 'OK' })
      resolve(answer)
    }
  }
}
