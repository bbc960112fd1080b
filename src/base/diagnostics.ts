/** Publishes typed messages on diagnostics channels, and writes each warning as one JSON line. */
import { channel } from 'node:diagnostics_channel'

/** The messages by channel, `cockroach-lambda:<name>`; none holds a secret. Times in milliseconds. */
export interface DiagnosticMessages {
  /** The secret was read. */
  readonly secret: { secretId: string; versionId: string | undefined; versionStage: string; ms: number }
  /** A connection was opened. */
  readonly connect: { host: string; port: number; backendPid: number | undefined; attempt: number; ms: number }
  /** The server refused user or password. */
  readonly loginRefused: { host: string; port: number; user: string }
  /** A connection that was used before is lent again; `uses` times until then. */
  readonly reuse: { backendPid: number | undefined; uses: number }
  /** Opening a connection failed; `retryInMs` is undefined when no further attempt follows. */
  readonly connectFailed: { code: string; message: string; attempt: number; retryInMs: number | undefined }
  /** The pool ended a client because it is unfit or too old. */
  readonly discard: { reason: string; ageMs: number; idleForMs: number; backendPid: number | undefined }
  /** A transaction is run again. */
  readonly retry: { code: string; attempt: number; retryInMs: number }
  /** A statement was cancelled because the invocation's deadline is near; `budgetMs` after it was sent. */
  readonly deadline: { budgetMs: number; backendPid: number | undefined }
  /** An invocation of a handler that `withDatabase()` wraps begins, and has ended. */
  readonly invocation: { awsRequestId: string | undefined; hasEnded: boolean }
  /** The same text as the JSON line. */
  readonly warning: { kind: string; message: string }
}

export type DiagnosticName = keyof DiagnosticMessages

const PREFIX = 'cockroach-lambda'

const CHANNELS = {
  secret: channel(`${PREFIX}:secret`),
  connect: channel(`${PREFIX}:connect`),
  loginRefused: channel(`${PREFIX}:loginRefused`),
  reuse: channel(`${PREFIX}:reuse`),
  connectFailed: channel(`${PREFIX}:connectFailed`),
  discard: channel(`${PREFIX}:discard`),
  retry: channel(`${PREFIX}:retry`),
  deadline: channel(`${PREFIX}:deadline`),
  invocation: channel(`${PREFIX}:invocation`),
  warning: channel(`${PREFIX}:warning`),
}

/** For modules that belong to no single database. */
export function publish<Name extends DiagnosticName>(name: Name, message: DiagnosticMessages[Name]): void {
  if (CHANNELS[name].hasSubscribers) CHANNELS[name].publish(message)
}

/** The fields that Lambda's JSON log format and Powertools' logger share, so that log readers need no rule for it. */
function writeLine(message: string, kind: string): void {
  const line = { level: 'WARN', timestamp: new Date().toISOString(), message, service: PREFIX, kind }
  process.stderr.write(`${JSON.stringify(line)}\n`)
}

/** One for each database: writes each distinct warning once. */
export class Diagnostics {
  readonly #reported = new Set<string>()

  readonly publish = publish

  warn(kind: string, message: string): void {
    this.publish('warning', { kind, message })
    const key = `${kind} ${message}`
    if (this.#reported.has(key)) return
    this.#reported.add(key)
    writeLine(message, kind)
  }
}
