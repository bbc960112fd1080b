/** A pg client that reports its age and how its connection was opened, and cancels its statements at the deadline. */
import type { TLSSocket } from 'node:tls'
import type { ClientConfig, DatabaseError } from 'pg'
import { nameCallers } from '../base/caller.ts'
import { publish } from '../base/diagnostics.ts'
import { within } from '../base/within.ts'
import type { ResolvedConnection } from '../connection/source.ts'
import { watchHandshake } from '../connection/tls-error.ts'
import { budgetOf, currentInvocation, deadlineError } from '../lambda/deadline.ts'
import { cancelRequest } from './cancel-request.ts'
import { checkedConnectionClass } from './checked-connection.ts'
import type { DatabaseClient, DatabaseClientConfig } from './client.ts'
import { ConnectClock, type ConnectTimings } from './connect-timings.ts'
import { DeadlineWatch, type WatchedStatement } from './deadline-watch.ts'
import { hidePassword } from './hidden-password.ts'
import { type ClientInternals, isTlsSocket, type Pg } from './pg.ts'
import { keptParameters } from './server-parameters.ts'
import { endsSession, statementError } from './statement-error.ts'
import { bindToCaller, type Callback, failUnsent, isSubmittable, type Submittable } from './submittable.ts'
import { traceStatement } from './traces.ts'
import { whenDone } from './when-done.ts'
import { withCallback } from './with-callback.ts'

/** Kept for the answer itself, once the statement was cancelled, in milliseconds. */
const ANSWER_MS = 200
/** A cancel request gets at least this long, in milliseconds. */
const CANCEL_AT_LEAST_MS = 50
/** How long Lambda leaves a process after SIGTERM, at the least, in milliseconds. */
const TERMINATE_MS = 300

const QUERY_TIMEOUT = 'Query read timeout'
/** The severities after which the server closes the connection. */
const FATAL = ['FATAL', 'PANIC']

const unsent = () => deadlineError('the statement was not sent', true)

/** The class over a copy of pg's. */
export function databaseClientClass({ Client, Connection }: Pg): new (config: DatabaseClientConfig) => DatabaseClient {
  const CheckedConnection = checkedConnectionClass(Connection)
  return class extends Client implements DatabaseClient {
    /** As it is known after minification too. */
    static override readonly name = 'DatabaseClient'
    readonly #serverParameters = keptParameters(this.#internals.connection)
    readonly #connectClock = new ConnectClock(this.#internals.connection)
    #hasSessionEnded = false
    #transactionStatus: 'I' | 'T' | 'E' | null = null
    readonly #deadlines = new DeadlineWatch((statement) => this.#cancelAndDestroy(statement))
    /** The statement whose end pg reports to itself alone. */
    #streaming: WatchedStatement | undefined
    isStreaming = false
    openedAt = 0
    idleSince = 0
    returnedAt = 0
    uses = 0
    openedWith: ResolvedConnection | undefined
    declare readonly ref: () => void
    declare readonly unref: () => void
    release: (destroy?: Error | boolean) => void = () => undefined;
    [Symbol.asyncDispose]: () => Promise<void> = async () => undefined
    maxLifetimeMs = Number.POSITIVE_INFINITY

    constructor(config: DatabaseClientConfig) {
      // pg takes a connection that is made for it: in its code, not in its types.
      super({ ...config, connection: new CheckedConnection(config) } as ClientConfig)
      config.signal?.addEventListener('abort', () => this.destroy(), { once: true })
      // Assigned, since overriding would mean to repeat the eight signatures that pg's types give to this method.
      this.query = this.#query.bind(this) as this['query']
      // Without a listener, a connection that is lost while idle would end the process.
      this.on('error', () => undefined)
      const { connection } = this.#internals
      hidePassword(this.#internals)
      connection.on('errorMessage', (error: DatabaseError) => {
        if (endsSession(error) || FATAL.includes(error.severity ?? '')) this.#hasSessionEnded = true
      })
      connection.on('sslconnect', () => watchHandshake(connection.stream))
      connection.on('readyForQuery', (message) => {
        // Without a message, see `endLogin()`.
        this.#transactionStatus = message?.status ?? null
      })
    }

    get #internals(): ClientInternals {
      return this as unknown as ClientInternals
    }

    get backendPid(): number | undefined {
      return this.#internals.processID ?? undefined
    }

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

    get bytesRead(): number {
      return this.#internals.connection.stream.bytesRead
    }

    /** As pg's, which has it since 8.21. */
    override getTransactionStatus(): 'I' | 'T' | 'E' | null {
      return this.#transactionStatus
    }

    get isBusy(): boolean {
      const internals = this.#internals
      return Boolean(internals._getActiveQuery ? internals._getActiveQuery() : internals.activeQuery)
    }

    get unfitness(): string | undefined {
      const { _queryable, _ending, connection } = this.#internals
      // pg learns of a FIN when the socket has closed, which takes some turns of the event loop more than its end.
      const { readableEnded, destroyed } = connection.stream
      if (!_queryable || _ending || readableEnded || destroyed) return 'the connection is broken'
      // The FIN that follows may still be on its way.
      if (this.#hasSessionEnded) return 'the server ended the session'
      if (this.isBusy) return 'released with a statement under way'
      if (this.openedWith?.isForSnapshot) return 'opened for a snapshot'
      return this.getTransactionStatus() === 'I' ? undefined : 'released inside a transaction'
    }

    endLogin(): void {
      this.#connectClock.stop()
      const { connection } = this.#internals
      // Query streams wait for this message before they report an error, also that their connection broke.
      connection.once('end', () => setImmediate(() => connection.emit('readyForQuery')))
      connection.once('end', () => this.#deadlines.stop())
    }

    terminate(): void {
      if (this.isBusy) void this.#cancel(TERMINATE_MS)
      this.#internals.connection.end()
    }

    whenDone(): Promise<void> {
      return whenDone(this)
    }

    destroy(): void {
      this.#internals.connection.stream.destroy()
    }

    async probe(timeoutMs: number): Promise<boolean> {
      try {
        await within({ limitMs: timeoutMs, error: () => undefined }, super.query('select 1'))
        return true
      } catch {
        this.destroy()
        return false
      }
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
      const invocation = currentInvocation()
      const budgetMs = budgetOf(invocation)
      if (budgetMs <= 0) return failUnsent(statement, told, unsent(), this.#internals.connection)
      this.#streaming ??= this.#deadlines.begin(invocation, budgetMs)
      this.isStreaming = true
      this.off('drain', this.#unwatch).once('drain', this.#unwatch)
      bindToCaller(statement)
      return super.query(statement as never, told as never)
    }

    readonly #unwatch = (): void => {
      this.#deadlines.end(this.#streaming)
      this.#streaming = undefined
      this.isStreaming = false
    }

    async #guard(config: unknown, values: unknown): Promise<unknown> {
      try {
        return await traceStatement(this, config, values, () => this.#sendInTime(config, values))
      } catch (error) {
        nameCallers(error)
        throw error
      }
    }

    #sendInTime(config: unknown, values: unknown): Promise<unknown> {
      const invocation = currentInvocation()
      const budgetMs = budgetOf(invocation)
      if (budgetMs <= 0) return Promise.reject(unsent())
      return new Promise((resolve, reject) => {
        const statement = this.#deadlines.begin(invocation, budgetMs)
        const told: Callback = (error, result) => {
          this.#deadlines.end(statement)
          if (error) this.#fail(error, reject)
          else resolve(result)
        }
        // By callback: for a promise pg assigns a closure to the query, which lives until a full garbage collection.
        try {
          super.query(config as string, values as unknown[], told)
        } catch (error) {
          // Unless pg has begun with it, and waits for its end.
          if (!this.isBusy) this.#deadlines.end(statement)
          throw error
        }
      })
    }

    #fail(error: unknown, reject: (error: unknown) => void): void {
      // pg stops waiting at `query_timeout`, and the statement goes on.
      if (error instanceof Error && error.message === QUERY_TIMEOUT) {
        this.#hasSessionEnded = true
        void this.#cancel(TERMINATE_MS).then(() => this.destroy())
      }
      reject(statementError(error))
    }

    /** Cancels at the server, then destroys the connection: the caller gets this error, and not the answer to the cancel request. */
    async #cancelAndDestroy({ invocation, budgetMs }: WatchedStatement): Promise<void> {
      // Not to be lent again, even if the statement ends before the server is asked to cancel it.
      this.#hasSessionEnded = true
      publish('deadline', { budgetMs, backendPid: this.backendPid })
      const { connection } = this.#internals
      const fail = () => connection.emit('error', deadlineError('the statement was cancelled', false))
      connection.removeAllListeners('errorMessage').once('errorMessage', fail).prependOnceListener('end', fail)
      await this.#cancel(Math.max(CANCEL_AT_LEAST_MS, invocation.marginMs - ANSWER_MS))
      this.destroy()
    }

    async #cancel(limitMs: number): Promise<void> {
      const { ssl, processID, secretKey } = this.#internals
      if (processID === null || secretKey === null) return
      await cancelRequest(CheckedConnection, { host: this.host, port: this.port, ssl, processID, secretKey }, limitMs)
    }
  }
}
