/** The pool: a `pg.Pool` whose connections come from the secret, are checked before use, and never outlast an invocation. */
import type { PoolClient, PoolConfig, QueryConfig, QueryResult } from 'pg'
import { assess } from './checkout.ts'
import { type CheckedOutClient, DatabaseClient } from './client.ts'
import type { Clock } from './clock.ts'
import { ConnectionError } from './connection-error.ts'
import { ConnectionOpener } from './connection-opener.ts'
import { currentInvocation, deadlineError, endOfStep } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Login } from './login.ts'
import { callerOf, type Holder, Permits } from './permits.ts'
import { Pool } from './pg.ts'

/** Everything from waiting for a free connection to the end of the login. */
const CONNECT_LIMIT_MS = 5000
const PROBE_LIMIT_MS = 1000

type QueryCallback = (error: Error | undefined, result?: QueryResult) => void
type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (destroy?: unknown) => void,
) => void

/** Lets sockets tell what happened to them while the execution environment was frozen. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export class DatabasePool extends Pool {
  readonly #opener: ConnectionOpener
  readonly #clock: Clock
  readonly #diagnostics: Diagnostics
  readonly #permits: Permits
  /** No Set, for the reason that `Permits` has. */
  readonly #lent: DatabaseClient[] = []
  /** When a client came back last, in milliseconds since 1970. */
  #givenBackAt = Number.NaN
  #isTerminated = false

  constructor(login: Login, max: number, diagnostics: Diagnostics, clock: Clock) {
    // No idle timer: while frozen none runs, and after a thaw all are overdue. Age is checked at checkout.
    super({ max, idleTimeoutMillis: 0, allowExitOnIdle: true, Client: DatabaseClient as never })
    // pg-pool makes the client from its options before it gives up control, so this cannot mix with another attempt.
    const connect = (config: PoolConfig) => {
      Object.assign(this.options, config)
      return this.#checkOut()
    }
    this.#opener = new ConnectionOpener(login, connect, diagnostics, clock)
    this.#clock = clock
    this.#diagnostics = diagnostics
    this.#permits = new Permits(max)
    this.on('error', () => undefined)
    // Assigned, since overriding would mean to repeat all the signatures that pg's types give to these methods.
    this.connect = this.#connect.bind(this) as this['connect']
    this.query = this.#query.bind(this) as this['query']
    Object.defineProperty(this, 'waitingCount', { get: () => this.#permits.waitingCount })
  }

  /** As pg's: a promise, or a callback with client and `done`. */
  #connect(callback: ConnectCallback | undefined): Promise<CheckedOutClient> | undefined {
    const client = this.take(callerOf(this.connect))
    if (callback === undefined) return client
    client.then(
      (taken) => process.nextTick(callback, undefined, taken, taken.release),
      (error: Error) => process.nextTick(callback, error, undefined, () => undefined),
    )
    return undefined
  }

  /** As pg's; unlike there, a statement that the server refuses does not cost the connection. */
  #query(
    config: string | QueryConfig,
    values?: unknown[] | QueryCallback,
    callback?: QueryCallback,
  ): Promise<QueryResult> | undefined {
    const told = typeof values === 'function' ? values : callback
    const answer = this.run(config, typeof values === 'function' ? undefined : values)
    if (told === undefined) return answer
    answer.then(
      (result) => process.nextTick(told, undefined, result),
      (error: Error) => process.nextTick(told, error),
    )
    return undefined
  }

  /** One statement on a connection of the pool. */
  async run(config: string | QueryConfig, values?: unknown[]): Promise<QueryResult> {
    const client = await this.take(undefined)
    try {
      return await client.query(config, values)
    } finally {
      client.release()
    }
  }

  /**
   * A connection, checked; new if there is none that can be trusted.
   *
   * @param place where the caller's code asked, to name it when the client is never given back
   * @param maxAttempts to open one, if the reason that it fails for may pass by itself
   */
  async take(place: Error | undefined, maxAttempts = Number.POSITIVE_INFINITY): Promise<CheckedOutClient> {
    if (this.ending)
      throw new ConnectionError('ERR_CLOSED', 'the pool was closed', { hint: 'Call close() last.', safeToRetry: true })
    const startedAt = this.#clock.monotonicNow()
    const endAt = endOfStep(CONNECT_LIMIT_MS, startedAt)
    if (endAt <= startedAt) throw deadlineError('no connection was taken', true)
    const holder: Holder = { invocation: currentInvocation(), place }
    await this.#permits.acquire(holder, endAt - startedAt)
    try {
      return this.#lend((await this.#takeIdle(endAt)) ?? (await this.#opener.open(endAt, maxAttempts)), holder)
    } catch (error) {
      this.#permits.release(holder)
      throw error
    }
  }

  /** Opens a connection if there is none, without counting that as a use; tries once, for whoever needs it tries on. */
  async warmUp(): Promise<void> {
    const client = await this.take(undefined, 1)
    client.uses = 0
    client.release()
  }

  /** Hands a client out: counted, and with a `release` that keeps only what is fit to be kept. */
  #lend(client: CheckedOutClient, holder: Holder): CheckedOutClient {
    const giveBack = client.release
    let isLent = true
    let isRevoked = false
    const release = (destroy?: Error | boolean): void => {
      if (isRevoked) return
      const unfitness = destroy ? 'given back as broken' : client.unfitness
      const now = this.#clock.now()
      client.idleSince = now
      this.#givenBackAt = now
      giveBack.call(client, unfitness !== undefined)
      isLent = false
      this.#forget(client)
      this.#permits.release(holder)
      if (unfitness !== undefined) this.#tellDiscard(client, unfitness, now)
    }
    client.uses += 1
    this.#lent.push(client)
    if (this.#isTerminated) client.terminate()
    holder.isBusy = () => client.isBusy
    holder.revoke = () => {
      isRevoked = true
      isLent = false
      this.#forget(client)
      giveBack.call(client, true)
    }
    // Assigned one by one: Object.assign takes microseconds, in every statement.
    client.release = release
    client[Symbol.asyncDispose] = async () => {
      if (isLent) release()
    }
    return client
  }

  async #takeIdle(endAt: number): Promise<CheckedOutClient | undefined> {
    if (this.idleCount === 0) return undefined
    // Given back in this very millisecond: nothing was frozen since.
    if (this.#clock.now() !== this.#givenBackAt) await eventLoopTurn()
    while (this.idleCount > 0) {
      this.options.connectionTimeoutMillis = 0
      const client = await this.#checkOut()
      const unfitness = await this.#unfitness(client, endAt)
      if (unfitness === undefined) return client
      this.#tellDiscard(client, unfitness, this.#clock.now())
      client.release(true)
    }
    return undefined
  }

  /** Why a client that lay idle is not to be used, if there is a reason; a promise only where the server has to be asked. */
  #unfitness(client: CheckedOutClient, endAt: number): Promise<string | undefined> | string | undefined {
    const now = this.#clock.now()
    const verdict = assess({
      idleForMs: now - client.idleSince,
      ageMs: client.ageMs(now),
      maxLifetimeMs: client.maxLifetimeMs,
    })
    if (verdict === 'use') return client.unfitness
    if (verdict === 'replace') return 'too old or idle for too long'
    const limitMs = Math.min(PROBE_LIMIT_MS, endAt - this.#clock.monotonicNow())
    return client.probe(limitMs).then((isAlive) => (isAlive ? client.unfitness : 'did not answer'))
  }

  /** By callback, since pg-pool's promises cost more; sound because the pool was told to make its clients of this class. */
  #checkOut(): Promise<CheckedOutClient> {
    return new Promise((resolve, reject) => {
      super.connect((error, client) => (error ? reject(error) : resolve(client as unknown as CheckedOutClient)))
    })
  }

  /** Ends the pool; waits for the idle connections to close, not for lent ones: those close when they come back. */
  async close(): Promise<void> {
    if (this.ending) return
    const ended = this.end()
    if (this.#lent.length === 0) await ended
  }

  /** Ends every session at once, lent ones too: the execution environment is going away. */
  terminate(): void {
    this.#isTerminated = true
    void this.end().catch(() => undefined)
    for (const client of this.#lent) client.terminate()
  }

  #forget(client: DatabaseClient): void {
    const at = this.#lent.indexOf(client)
    if (at !== -1) this.#lent.splice(at, 1)
  }

  #tellDiscard(client: DatabaseClient, reason: string, now: number): void {
    const { backendPid, idleSince } = client
    this.#diagnostics.publish('discard', { reason, ageMs: client.ageMs(now), idleForMs: now - idleSince, backendPid })
  }
}
