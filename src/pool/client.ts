/** A pg client that reports its age and how its connection was opened, and cancels its statements at the deadline. */
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ClientConfig, DatabaseError } from 'pg'
import { publish } from '../base/diagnostics.ts'
import type { ResolvedConnection } from '../connection/source.ts'
import { watchHandshake } from '../connection/tls-error.ts'
import { budgetOf, currentInvocation, deadlineError } from '../lambda/deadline.ts'
import { cancelRequest } from './cancel-request.ts'
import { CheckedConnection } from './checked-connection.ts'
import { ConnectClock, type ConnectTimings } from './connect-timings.ts'
import { isDatabaseError } from './database-error.ts'
import { hidePassword } from './hidden-password.ts'
import type { LoginRequirements } from './login-order.ts'
import { Client, type ClientInternals, type ProtocolConnection } from './pg.ts'
import { keptParameters } from './server-parameters.ts'
import { endsSession, statementError } from './statement-error.ts'
import { type Callback, failUnsent, isSubmittable, type Submittable } from './submittable.ts'
import { withCallback } from './with-callback.ts'

/** Kept for the answer itself, once the statement was cancelled, in milliseconds. */
const ANSWER_MS = 200
/** A cancel request gets at least this long, in milliseconds. */
const CANCEL_AT_LEAST_MS = 50
/** How long Lambda leaves a process after SIGTERM, at the least, in milliseconds. */
const TERMINATE_MS = 300

/** The severities after which the server closes the connection. */
const FATAL = ['FATAL', 'PANIC']

const unsent = () => deadlineError('the statement was not sent', true)

function isTlsSocket(stream: Socket): stream is TLSSocket {
  return 'encrypted' in stream && stream.encrypted === true
}

/** A client that a pool lends: `release()` returns it, and so does `await using`. */
export type CheckedOutClient = DatabaseClient

export interface DatabaseClientConfig extends ClientConfig {
  /** Breaks the connection off, in whatever state it is. */
  readonly signal?: AbortSignal | undefined
  readonly requirements?: LoginRequirements
}

/** pg takes a connection that is made for it: in its code, not in its types. */
function overCheckedConnection(config: DatabaseClientConfig): ClientConfig & { connection: ProtocolConnection } {
  return { ...config, connection: new CheckedConnection(config) }
}

export class DatabaseClient extends Client {
  readonly #serverParameters = keptParameters(this.#internals.connection)
  readonly #connectClock = new ConnectClock(this.#internals.connection)
  #hasSessionEnded = false
  /** Ends statements whose end pg reports to themselves alone. */
  #watch: NodeJS.Timeout | undefined
  /** When the pool opened it and got it back last, on the steady clock in milliseconds. */
  openedAt = 0
  idleSince = 0
  /** The wall clock when the pool got it back last. */
  returnedAt = 0
  /** How often the pool has lent it. */
  uses = 0
  /** The connection parameters and the secret version that it was opened with. */
  openedWith: ResolvedConnection | undefined
  /** In pg's code, not in its types: whether it keeps the process from ending. */
  declare readonly ref: () => void
  declare readonly unref: () => void
  /** As pg's: returns it to the pool, to be closed with `destroy`. A function of its own each time the pool lends it. */
  release: (destroy?: Error | boolean) => void = () => undefined;
  /** Gives it back, unless that was done. */
  [Symbol.asyncDispose]: () => Promise<void> = async () => undefined
  /** It is replaced when older than this, in milliseconds. */
  maxLifetimeMs = Number.POSITIVE_INFINITY

  constructor(config: DatabaseClientConfig) {
    super(overCheckedConnection(config))
    config.signal?.addEventListener('abort', () => this.destroy(), { once: true })
    // Assigned, since overriding would mean to repeat the eight signatures that pg's types give to this method.
    this.query = this.#query.bind(this) as this['query']
    // Without a listener, a connection that is lost while idle would end the process.
    this.on('error', () => undefined)
    const { connection, connectionParameters } = this.#internals
    hidePassword(this.#internals)
    hidePassword(connectionParameters)
    connection.on('errorMessage', (error: DatabaseError) => {
      if (endsSession(error) || FATAL.includes(error.severity ?? '')) this.#hasSessionEnded = true
    })
    connection.on('sslconnect', () => watchHandshake(connection.stream))
  }

  get #internals(): ClientInternals {
    return this as unknown as ClientInternals
  }

  /** Process id of the session at the server, or the one that CockroachDB Cloud's proxy sends instead. */
  get backendPid(): number | undefined {
    return this.#internals.processID ?? undefined
  }

  /** `server_version` or `crdb_version` as the server reported it. */
  serverParameter(name: string): string | undefined {
    return this.#serverParameters.get(name)
  }

  get tlsSocket(): TLSSocket | undefined {
    const { stream } = this.#internals.connection
    return isTlsSocket(stream) ? stream : undefined
  }

  get connectTimings(): ConnectTimings {
    return this.#connectClock.timings
  }

  /** Bytes that the server has sent. */
  get bytesRead(): number {
    return this.#internals.connection.stream.bytesRead
  }

  /** True while a statement is under way. */
  get isBusy(): boolean {
    return Boolean(this.#internals._getActiveQuery())
  }

  /** Why the pool must not keep it, if there is a reason. */
  get unfitness(): string | undefined {
    const { _queryable, _ending, connection } = this.#internals
    // pg learns of a FIN when the socket has closed, which takes some turns of the event loop more than its end.
    const { readableEnded, destroyed } = connection.stream
    if (!_queryable || _ending || readableEnded || destroyed) return 'the connection is broken'
    // The FIN that follows may still be on its way.
    if (this.#hasSessionEnded) return 'the server ended the session'
    if (this.isBusy) return 'released with a statement under way'
    return this.getTransactionStatus() === 'I' ? undefined : 'released inside a transaction'
  }

  /** Logged in: the password has done its part and is forgotten. */
  erasePassword(): void {
    this.#connectClock.stop()
    const { connection, connectionParameters } = this.#internals
    this.#internals.password = null
    connectionParameters.password = null
    // Query streams wait for this message before they report an error, also that their connection broke.
    connection.once('end', () => setImmediate(() => connection.emit('readyForQuery')))
  }

  /** Ends the session now, whatever it does: a statement under way is cancelled, for the server would finish it first. */
  terminate(): void {
    if (this.isBusy) void this.#cancel(TERMINATE_MS)
    this.#internals.connection.end()
  }

  /** Breaks the connection off at once, without a word to the server. */
  destroy(): void {
    this.#internals.connection.stream.destroy()
  }

  /** True when the server answers within `timeoutMs`; a broken or silent connection gives false, never an error. */
  probe(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.destroy()
        resolve(false)
      }, timeoutMs)
      const settle = (isAlive: boolean) => () => {
        clearTimeout(timer)
        resolve(isAlive)
      }
      super.query('select 1').then(settle(true), settle(false))
    })
  }

  /** As pg's `query`, in all its forms; a statement that would outlast the invocation is cancelled: `ERR_DEADLINE`. */
  #query(config: string | { callback?: unknown }, values: unknown, callback: unknown): unknown {
    if (config == null) return super.query(config as never)
    const own = typeof config === 'object' ? config.callback : undefined
    const told = (typeof values === 'function' ? values : (callback ?? own)) as Callback | undefined
    if (isSubmittable(config)) return this.#submit(config, told)
    const answer = this.#guard(config, typeof values === 'function' ? undefined : values)
    return withCallback(answer, told && ((error, result) => told(error ?? null, result)))
  }

  /** Cursors, streams, COPY and prebuilt queries are under way until pg has nothing left to do. */
  #submit(statement: Submittable, told: Callback | undefined): unknown {
    const budgetMs = budgetOf(currentInvocation())
    if (budgetMs <= 0) return failUnsent(statement, told, unsent(), this.#internals.connection)
    this.#watch ??= this.#cancelAndDestroyIn(budgetMs)
    this.off('drain', this.#unwatch).once('drain', this.#unwatch)
    return super.query(statement as never, told as never)
  }

  readonly #unwatch = (): void => {
    clearTimeout(this.#watch)
    this.#watch = undefined
  }

  /** By callback: for a promise pg assigns a closure to the query, which lives until a full garbage collection. */
  #send(config: unknown, values: unknown, told: Callback): void {
    super.query(config as string, values as unknown[], told)
  }

  async #guard(config: unknown, values: unknown): Promise<unknown> {
    try {
      return await this.#sendInTime(config, values)
    } catch (error) {
      // As pg does: a stack with the caller's code instead of the socket's.
      if (isDatabaseError(error)) Error.captureStackTrace(error)
      throw statementError(error)
    }
  }

  #sendInTime(config: unknown, values: unknown): Promise<unknown> {
    const budgetMs = budgetOf(currentInvocation())
    if (budgetMs <= 0) return Promise.reject(unsent())
    return new Promise((resolve, reject) => {
      const timer = this.#cancelAndDestroyIn(budgetMs)
      this.#send(config, values, (error, result) => {
        clearTimeout(timer)
        if (error) reject(error)
        else resolve(result)
      })
    })
  }

  /** A timer for the deadline, if there is one. */
  #cancelAndDestroyIn(budgetMs: number): NodeJS.Timeout | undefined {
    const { marginMs } = currentInvocation() ?? {}
    if (marginMs === undefined || budgetMs === Number.POSITIVE_INFINITY) return undefined
    return setTimeout(() => this.#cancelAndDestroy(budgetMs, marginMs), budgetMs)
  }

  /** Cancels at the server, then destroys the connection: the caller gets this error, and not the answer to the cancel request. */
  async #cancelAndDestroy(budgetMs: number, marginMs: number): Promise<void> {
    // Not to be lent again, even if the statement ends before the server is asked to cancel it.
    this.#hasSessionEnded = true
    publish('deadline', { budgetMs, backendPid: this.backendPid })
    const { connection } = this.#internals
    const fail = () => connection.emit('error', deadlineError('the statement was cancelled', false))
    connection.removeAllListeners('errorMessage').once('errorMessage', fail).prependOnceListener('end', fail)
    await this.#cancel(Math.max(CANCEL_AT_LEAST_MS, marginMs - ANSWER_MS))
    this.destroy()
  }

  async #cancel(limitMs: number): Promise<void> {
    const { ssl, processID, secretKey } = this.#internals
    if (processID === null || secretKey === null) return
    await cancelRequest({ host: this.host, port: this.port, ssl, processID, secretKey }, limitMs)
  }
}
