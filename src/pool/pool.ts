/** The pool: a `pg.Pool` whose clients come from the secret, are checked before use, and never outlast an invocation. */
import type { EventEmitter } from 'node:events'
import type { ClientBase, Pool, QueryConfig, QueryResult } from 'pg'
import type { Clock } from '../base/clock.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { Login } from '../connection/login.ts'
import type { PoolOptions } from '../settings/pool-options.ts'
import { keepingOf } from './checkout.ts'
import { choosePg, isBundled } from './chosen-pg.ts'
import type { CheckedOutClient, DatabaseClientConfig } from './client.ts'
import { databaseClientClass } from './client-class.ts'
import { callerOf, type Holder } from './lease.ts'
import { Lender } from './lender.ts'
import { ConnectionOpener } from './opener.ts'
import type { Pg, PoolWithoutCounts } from './pg.ts'
import { PoolClients } from './pool-clients.ts'
import { rehearseScram, rehearseStatement } from './rehearsal.ts'
import { statementError } from './statement-error.ts'
import { isPrebuilt, isSubmittable } from './submittable.ts'
import { withCallback } from './with-callback.ts'

type QueryCallback = (error: unknown, result?: QueryResult) => void
type ConnectCallback = (
  error: unknown,
  client: CheckedOutClient | undefined,
  done: (destroy?: Error | boolean) => void,
) => void

const NO_FUNCTION = 'pool.query() needs the text of a statement; it is not called with a client: use pool.connect()'

/** As with pg's pool, a callback among a statement's properties is not called: the pool answers. */
function withoutCallback(config: string | QueryConfig): string | QueryConfig {
  return typeof config === 'object' && config !== null && 'callback' in config
    ? ({ ...config, callback: undefined } as QueryConfig)
    : config
}

/** As pg's pool has it, the result of a query that was made before is not the query itself. */
function resultOf(client: Pick<ClientBase, 'query'>, query: string | QueryConfig): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    client.query(query, (error: Error | undefined, result) => (error ? reject(statementError(error)) : resolve(result)))
  })
}

export interface DatabasePool extends PoolWithoutCounts {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  /** Settles when the pool was ended and its last session is closed. */
  readonly whenEnded: Promise<void>
  /** True when the execution environment is going away. */
  readonly isTerminated: boolean
  /** One statement on a connection of the pool. */
  run(config: string | QueryConfig, values?: unknown[]): Promise<QueryResult>
  /**
   * A client, checked; new if there is none that can be trusted.
   *
   * @param callSite where the caller's code asked, to name it when the client is never released
   * @param holder what has it from now on, if that releases it only when it has ended
   */
  take(callSite: Error | undefined, holder?: Holder): Promise<CheckedOutClient>
  /** Opens a connection if nobody has or had one, without counting that as a use; tries once, since the first statement tries again. */
  warmUp(): Promise<void>
  /** What a first login needs, without a server: a statement too, with the layer's copy of pg, whose clients nobody watches. */
  rehearse(): Promise<void>
  /** Ends the pool; waits for the idle connections to close, not for those that are lent or opened: they close on release. */
  close(): Promise<void>
  /** Ends every session at once, lent ones too: the execution environment is going away. */
  terminate(): void
}

/** Set by the layer's build, whose copy of pg nobody can instrument, and computes SCRAM without Web Crypto. */
declare const IN_LAYER: true | undefined

/** What a pool's user may set. */
interface PoolSettings {
  readonly max: number
  /** Under pg's names. */
  readonly options: PoolOptions
}

type PoolParts = [login: Login, settings: PoolSettings, diagnostics: Diagnostics, clock: Clock]
type DatabasePoolClass = new (...parts: PoolParts) => DatabasePool

/** The class over a copy of pg: users see its `Pool`, of whose code nothing runs but the constructor. */
function databasePoolClass(pg: Pg): DatabasePoolClass {
  const { Pool: PgPool } = pg
  const DatabaseClient = databaseClientClass(pg)
  return class extends PgPool {
    /** As it is known after minification too: by it, Drizzle recognises pools of another copy of pg. */
    static override readonly name = 'DatabasePool'
    readonly #clients: PoolClients
    readonly #lender: Lender
    override ending = false
    override ended = false
    // Assigned, since overriding would mean to repeat all the signatures that pg's types give to these methods.
    override readonly connect = this.#connect.bind(this) as Pool['connect']
    override readonly query = this.#query.bind(this) as Pool['query']
    override readonly end = this.#end.bind(this) as Pool['end']

    constructor(login: Login, { max, options }: PoolSettings, diagnostics: Diagnostics, clock: Clock) {
      // No idle timer: while frozen none runs, and after a thaw all are overdue. Age is checked at checkout.
      super({ max, idleTimeoutMillis: 0 })
      const createClient = (config: DatabaseClientConfig) => new DatabaseClient(config)
      this.#clients = new PoolClients({
        createClient,
        events: { emit: (...event) => this.#tell(event) },
        diagnostics,
        clock,
        keeping: keepingOf(options, clock.random),
      })
      const opener = new ConnectionOpener({
        ...{ login, clients: this.#clients, diagnostics, clock, options },
        connectMethod: () => pg.Client.prototype.connect,
      })
      this.#lender = new Lender(this.#clients, opener, max, clock)
      this.on('error', () => undefined)
    }

    get totalCount(): number {
      return this.#clients.totalCount
    }

    get idleCount(): number {
      return this.#clients.idleCount
    }

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
      return withCallback(this.take(callerOf(this.#connect, 'pool.connect()')), told)
    }

    /** As pg's; unlike there, a statement that the server refuses does not cost the connection. */
    #query(
      config: string | QueryConfig,
      values?: unknown[] | QueryCallback,
      callback?: QueryCallback,
    ): Promise<QueryResult> | undefined {
      if (typeof config === 'function') return withCallback(Promise.reject(new TypeError(NO_FUNCTION)), config)
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

    async run(config: string | QueryConfig, values?: unknown[]): Promise<QueryResult> {
      const lease = this.#lender.lendAtOnce() ?? (await this.#lender.lend(undefined, Number.POSITIVE_INFINITY))
      const { client } = lease
      if (isSubmittable(config)) {
        const statement = isPrebuilt(config) ? resultOf(client, config) : client.query(config, values)
        // They are over when their reader says so; one that was not sent is over now.
        void (client.isStreaming ? client.whenDone() : Promise.resolve()).then(() => lease.release())
        return statement
      }
      try {
        return await client.query(withoutCallback(config), values)
      } finally {
        lease.release()
      }
    }

    async take(callSite: Error | undefined, holder?: Holder): Promise<CheckedOutClient> {
      const lease = await this.#lender.lend(callSite, Number.POSITIVE_INFINITY, holder)
      return lease.checkedOutClient
    }

    async warmUp(): Promise<void> {
      if (this.#lender.takenCount > 0 || this.idleCount > 0) return
      const lease = await this.#lender.lend(undefined, 1)
      lease.client.uses = 0
      lease.release()
    }

    async rehearse(): Promise<void> {
      const isOfLayer = typeof IN_LAYER !== 'undefined' && isBundled(pg)
      if (isOfLayer) rehearseStatement((config) => new DatabaseClient(config))
      else await rehearseScram()
    }

    async close(): Promise<void> {
      const ended = this.#finish()
      if (this.#lender.takenCount === 0) await ended
    }

    terminate(): void {
      void this.#finish()
      this.#lender.terminate()
    }
  }
}

const CLASSES = new WeakMap<Pg, DatabasePoolClass>()

/** Which copy of pg: see `choosePg()`. */
export interface PgChoice {
  readonly pg: unknown
  readonly functionModule: string | undefined
}

/** A pool over the chosen copy of pg; all of one copy are of one class. */
export function createPool({ pg: handedOver, functionModule }: PgChoice, ...parts: PoolParts): DatabasePool {
  const pg = choosePg(handedOver, functionModule)
  const DatabasePool = CLASSES.get(pg) ?? databasePoolClass(pg)
  CLASSES.set(pg, DatabasePool)
  return new DatabasePool(...parts)
}
