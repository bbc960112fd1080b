/** The pool: a `pg.Pool` whose clients come from the secret, are checked before use, and never outlast an invocation. */
import type { EventEmitter } from 'node:events'
import type { Pool as PgPool, QueryConfig, QueryResult } from 'pg'
import type { Clock } from '../base/clock.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { Login } from '../connection/login.ts'
import { type CheckedOutClient, DatabaseClient, type DatabaseClientConfig } from './client.ts'
import { callerOf, type Holder } from './lease.ts'
import { Lender } from './lender.ts'
import { ConnectionOpener } from './opener.ts'
import { Pool } from './pg.ts'
import { PoolClients } from './pool-clients.ts'
import { withCallback } from './with-callback.ts'

type QueryCallback = (error: unknown, result?: QueryResult) => void
type ConnectCallback = (
  error: unknown,
  client: CheckedOutClient | undefined,
  done: (destroy?: Error | boolean) => void,
) => void

/** Users see a `pg.Pool`; of its code nothing runs but the constructor. */
export class DatabasePool extends Pool {
  readonly #clients: PoolClients
  readonly #lender: Lender
  override ending = false
  override ended = false
  // Assigned, since overriding would mean to repeat all the signatures that pg's types give to these methods.
  override readonly connect = this.#connect.bind(this) as PgPool['connect']
  override readonly query = this.#query.bind(this) as PgPool['query']
  override readonly end = this.#end.bind(this) as PgPool['end']

  constructor(login: Login, max: number, diagnostics: Diagnostics, clock: Clock) {
    // No idle timer: while frozen none runs, and after a thaw all are overdue. Age is checked at checkout.
    super({ max, idleTimeoutMillis: 0 })
    const createClient = (config: DatabaseClientConfig) => new DatabaseClient(config)
    this.#clients = new PoolClients({
      createClient,
      events: { emit: (...event) => this.#tell(event) },
      diagnostics,
      clock,
    })
    const opener = new ConnectionOpener(login, this.#clients, diagnostics, clock)
    this.#lender = new Lender(this.#clients, opener, max, clock)
    this.on('error', () => undefined)
  }

  get totalCount(): number {
    return this.#clients.totalCount
  }

  get idleCount(): number {
    return this.#clients.idleCount
  }

  /** Settles when the pool was ended and its last session is closed. */
  get whenEnded(): Promise<void> {
    return this.#clients.whenEnded
  }

  get isTerminated(): boolean {
    return this.#lender.isTerminated
  }

  get waitingCount(): number {
    return this.#lender.waitingCount
  }

  /** What a listener throws is uncaught, as with pg, but in a turn of its own: here it would cost a place in the pool. */
  #tell(event: Parameters<EventEmitter['emit']>): boolean {
    try {
      return this.emit(...event)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
      return true
    }
  }

  /** As pg's: a promise, or a callback with client and `done`. */
  #connect(callback: ConnectCallback | undefined): Promise<CheckedOutClient> | undefined {
    const told =
      callback &&
      ((error: unknown, client?: CheckedOutClient) => {
        callback(error, client, client?.release ?? (() => undefined))
      })
    return withCallback(this.take(callerOf(this.#connect)), told)
  }

  /** As pg's; unlike there, a statement that the server refuses does not cost the connection. */
  #query(
    config: string | QueryConfig,
    values?: unknown[] | QueryCallback,
    callback?: QueryCallback,
  ): Promise<QueryResult> | undefined {
    if (typeof values === 'function') return withCallback(this.run(config), values)
    return withCallback(this.run(config, values), callback)
  }

  /** As pg's. */
  #end(callback: (() => void) | undefined): Promise<void> | undefined {
    return withCallback(this.#endOnce(), callback)
  }

  async #endOnce(): Promise<void> {
    if (this.ending) throw new Error('Called end on pool more than once')
    await this.#finish()
  }

  async #finish(): Promise<void> {
    this.ending = true
    this.#lender.refuseWaiting()
    await this.#clients.end()
    this.ended = true
  }

  /** One statement on a connection of the pool. */
  async run(config: string | QueryConfig, values?: unknown[]): Promise<QueryResult> {
    const lease = this.#lender.lendAtOnce() ?? (await this.#lender.lend(undefined, Number.POSITIVE_INFINITY))
    try {
      return await lease.client.query(config, values)
    } finally {
      lease.release()
    }
  }

  /**
   * A client, checked; new if there is none that can be trusted.
   *
   * @param callSite where the caller's code asked, to name it when the client is never released
   * @param holder what has it from now on, if that releases it only when it has ended
   */
  async take(callSite: Error | undefined, holder?: Holder): Promise<CheckedOutClient> {
    const lease = await this.#lender.lend(callSite, Number.POSITIVE_INFINITY, holder)
    return lease.checkedOutClient
  }

  /** Opens a connection if nobody has or had one, without counting that as a use; tries once, since the first statement tries again. */
  async warmUp(): Promise<void> {
    if (this.#lender.takenCount > 0 || this.idleCount > 0) return
    const lease = await this.#lender.lend(undefined, 1)
    lease.client.uses = 0
    lease.release()
  }

  /** Ends the pool; waits for the idle connections to close, not for those that are lent or opened: they close on release. */
  async close(): Promise<void> {
    const ended = this.#finish()
    if (this.#lender.takenCount === 0) await ended
  }

  /** Ends every session at once, lent ones too: the execution environment is going away. */
  terminate(): void {
    void this.#finish()
    this.#lender.terminate()
  }
}
