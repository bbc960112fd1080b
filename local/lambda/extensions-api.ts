/** Lambda's Extensions API: registration and events. @see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { answerJson } from '../loopback/http-server.ts'
import { type FunctionError, parseFunctionError } from './function-error.ts'

export const EXTENSIONS_API = '/2020-01-01/extension/'

const MAX_EXTENSIONS = 10

/** `external`: a file in `/opt/extensions`, a process of its own. `internal`: registered by the runtime's process. */
type ExtensionKind = 'internal' | 'external'

const EVENTS: Readonly<Record<ExtensionKind, readonly string[]>> = {
  internal: ['INVOKE'],
  external: ['INVOKE', 'SHUTDOWN'],
}

export interface ExtensionEvent {
  readonly eventType: 'INVOKE' | 'SHUTDOWN'
  readonly deadlineMs: number
  readonly [member: string]: unknown
}

interface Extension {
  readonly name: string
  readonly kind: ExtensionKind
  readonly events: readonly string[]
  /** The response to `event/next` that waits for an event. */
  next: ServerResponse | undefined
}

export interface ExtensionsApiOptions {
  /** The names of the files in `/opt/extensions`. */
  readonly external: readonly string[]
  /** The body of the answer to a registration. */
  readonly metadata: { readonly functionName: string; readonly functionVersion: string; readonly handler: string }
  /** Called whenever an extension registers, or asks for its next event. */
  readonly onChange: () => void
  /** Called when an extension reports that it could not start, or must end. */
  readonly onError: (error: FunctionError) => void
}

export class ExtensionsApi {
  /** True after the runtime's first `invocation/next`. */
  registrationClosed = false
  readonly #extensions = new Map<string, Extension>()
  readonly #options: ExtensionsApiOptions

  constructor(options: ExtensionsApiOptions) {
    this.#options = options
  }

  has(kind: ExtensionKind): boolean {
    return this.#all.some((extension) => extension.kind === kind)
  }

  /** True when every file in `/opt/extensions` has registered. */
  get externalRegistered(): boolean {
    return this.#options.external.every((name) => this.#all.some((extension) => extension.name === name))
  }

  /** True when every extension has called `event/next` and got no answer yet. */
  get isIdle(): boolean {
    return this.#all.every(({ next }) => next !== undefined)
  }

  /** Sends the event to the extensions that registered for its type. */
  send(event: ExtensionEvent): void {
    for (const extension of this.#all) {
      if (!extension.events.includes(event.eventType) || extension.next === undefined) continue
      answerJson(extension.next, 200, event, { 'Lambda-Extension-Event-Identifier': randomUUID() })
      extension.next = undefined
    }
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const operation = `${request.method} ${request.url?.slice(EXTENSIONS_API.length)}`
    if (operation === 'POST register') return this.#register(request, response)
    const identifier = header(request, 'lambda-extension-identifier')
    if (identifier === '') return refuse(response, 'MissingHeader', 'Missing Lambda-Extension-Identifier header')
    const extension = this.#extensions.get(identifier)
    if (extension === undefined) return refuse(response, 'UnknownExtensionIdentifier', 'Unknown extension')
    switch (operation) {
      case 'GET event/next':
        extension.next = response
        return this.#options.onChange()
      case 'POST init/error':
      case 'POST exit/error': {
        const { errorMessage, trace } = parseFunctionError(await text(request))
        const errorType = header(request, 'lambda-extension-function-error-type')
        this.#options.onError({ errorType, errorMessage, ...(trace && { trace }) })
        return answerJson(response, 202, { status: 'OK' })
      }
      default:
        response.writeHead(404).end('404 page not found')
    }
  }

  get #all(): readonly Extension[] {
    return [...this.#extensions.values()]
  }

  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = header(request, 'lambda-extension-name')
    if (name === '') return refuse(response, 'InvalidExtensionName', 'Empty extension name')
    const kind = this.#options.external.includes(name) ? 'external' : 'internal'
    const events = parseEvents(await text(request))
    if (events === undefined) {
      return answerJson(response, 403, { errorType: 'InvalidRequestFormat', errorMessage: 'No list of events' })
    }
    const wrong = events.find((event) => !EVENTS[kind].includes(event))
    if (wrong !== undefined) {
      return refuse(response, 'InvalidEventType', `${wrong}: event is not supported for ${kind} extensions`)
    }
    if (this.registrationClosed) {
      return refuse(response, 'RegistrationClosed', 'Extension registration closed already')
    }
    if (this.#all.some((extension) => extension.name === name)) {
      return refuse(response, 'InvalidExtensionState', 'Extension with this name already registered')
    }
    if (this.#extensions.size >= MAX_EXTENSIONS) {
      return refuse(response, 'TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`)
    }
    const identifier = randomUUID()
    this.#extensions.set(identifier, { name, kind, events, next: undefined })
    answerJson(response, 200, this.#options.metadata, { 'Lambda-Extension-Identifier': identifier })
    this.#options.onChange()
  }
}

/** The events a registration asks for; none when the body names none. */
function parseEvents(body: string): readonly string[] | undefined {
  try {
    const { events = [] } = JSON.parse(body)
    return Array.isArray(events) && events.every((event) => typeof event === 'string') ? events : undefined
  } catch {
    return undefined
  }
}

function header(request: IncomingMessage, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}

function refuse(response: ServerResponse, errorType: string, errorMessage: string): void {
  answerJson(response, 403, { errorType: `Extension.${errorType}`, errorMessage })
}
