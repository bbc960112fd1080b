/** The pool: a `pg.Pool` whose connections come from the secret, are checked before use, and never outlast an invocation. */
import type { PoolClient, PoolConfig, QueryConfig, QueryResult } from 'pg'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { Login } from '../connection/login.ts'
import { currentInvocation, deadlineError, endOfStep } from '../lambda/deadline.ts'
import { assess } from './checkout.ts'
import { type CheckedOutClient, DatabaseClient } from './client.ts'
import { ConnectionOpener } from './opener.ts'
import { callerOf, type Holder, Permits } from './permits.ts'
import { Pool } from './pg.ts'

/** Everything from waiting for a free connection to the end of the login. */
const CONNECT_LIMIT_MS = 5000
const PROBE_LIMIT_MS = 1000
const GIVEN_BACK_AS_BROKEN = 'given back as broken'

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
  /** Last come, first lent. Kept here and not by pg-pool, for whom they stay taken: its queue costs more than all else here. */
  readonly #idle: CheckedOutClient[] = []
  /** No Set, for the reason that `Permits` has. */
  readonly #lent: DatabaseClient[] = []
  #isTerminated = false

  constructor(login: Login, max: number, diagnostics: Diagnostics, clock: Clock) {
    // No idle timer: while frozen none runs, and after a thaw all are overdue. Age is checked at checkout.
    super({ max, idleTimeoutMillis: 0, Client: DatabaseClient as never })
    // pg-pool makes the client from its options before it gives up control, so this cannot mix with another attempt.
    const connect = (config: PoolConfig) => {
      Object.assign(this.options, config)
      return this.#connectClient()
    }
    this.#opener = new ConnectionOpener(login, connect, diagnostics, clock)
    this.#clock = clock
    this.#diagnostics = diagnostics
    this.#permits = new Permits(max)
    this.on('error', () => undefined)
    // Assigned, since overriding would mean to repeat all the signatures that pg's types give to these methods.
    this.connect = this.#connect.bind(this) as this['connect']
    this.query = this.#query.bind(this) as this['query']
    this.end = this.#end.bind(this) as this['end']
    Object.defineProperty(this, 'idleCount', { get: () => this.#idle.length })
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
    const client = this.#takeAtOnce() ?? (await this.take(undefined))
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

  /** The client that came back in this very millisecond, for the next statement: nothing can have frozen since. */
  #takeAtOnce(): CheckedOutClient | undefined {
    const client = this.#idle.at(-1)
    const now = this.#clock.now()
    if (client?.idleSince !== now || client.ageMs(now) > client.maxLifetimeMs || client.unfitness !== undefined)
      return undefined
    const holder: Holder = { invocation: currentInvocation(), place: undefined }
    if (!this.#permits.tryAcquire(holder)) return undefined
    this.#popIdle()
    return this.#lend(client, holder)
  }

  /** Opens a connection if nobody has or had one, without counting that as a use; tries once, for whoever needs it tries on. */
  async warmUp(): Promise<void> {
    if (this.#permits.takenCount > 0 || this.#idle.length > 0) return
    const client = await this.take(undefined, 1)
    client.uses = 0
    client.release()
  }

  /**
   * Hands a client out: counted, and to be given back once.
   *
   * The closures have names before they are assigned, for V8 puts one that is written behind `x.y =` into the old
   * generation at once, where it and all that it refers to stay until a full garbage collection: 400 bytes a statement.
   */
  #lend(client: CheckedOutClient, holder: Holder): CheckedOutClient {
    let isLent = true
    let isRevoked = false
    const takeBack = (unfitness: string | undefined): void => {
      isLent = false
      this.#forget(client)
      this.#keep(client, unfitness)
    }
    const revoke = (): void => {
      isRevoked = true
      takeBack('never given back')
    }
    const release = (destroy?: Error | boolean): void => {
      if (isRevoked) return
      if (!isLent) throw new Error('release() was called twice: this client has already been released')
      takeBack(destroy ? GIVEN_BACK_AS_BROKEN : client.unfitness)
      this.#permits.release(holder)
    }
    const dispose = async (): Promise<void> => {
      if (isLent) release()
    }
    client.uses += 1
    this.#lent.push(client)
    if (this.#isTerminated) client.terminate()
    holder.client = client
    holder.revoke = revoke
    // Assigned one by one: Object.assign takes microseconds, in every statement.
    client.release = release
    client[Symbol.asyncDispose] = dispose
    return client
  }

  /** Takes a client back, to be lent again unless it is unfit for that. */
  #keep(client: CheckedOutClient, unfitness: string | undefined): void {
    const now = this.#clock.now()
    client.idleSince = now
    if (unfitness !== undefined || this.ending) client.remove()
    else {
      // A process that has nothing else to do may end.
      client.unref()
      this.#idle.push(client)
      this.emit('release', undefined, client)
    }
    if (unfitness !== undefined) this.#tellDiscard(client, unfitness, now)
  }

  #popIdle(): CheckedOutClient | undefined {
    const client = this.#idle.pop()
    if (client === undefined) return undefined
    client.ref()
    this.emit('acquire', client)
    return client
  }

  async #takeIdle(endAt: number): Promise<CheckedOutClient | undefined> {
    for (let client = this.#popIdle(); client !== undefined; client = this.#popIdle()) {
      const unfitness = await this.#unfitness(client, endAt)
      if (unfitness === undefined) return client
      client.remove()
      this.#tellDiscard(client, unfitness, this.#clock.now())
    }
    return undefined
  }

  /** Why a client that lay idle is not to be used, if there is a reason. */
  async #unfitness(client: CheckedOutClient, endAt: number): Promise<string | undefined> {
    await eventLoopTurn()
    const now = this.#clock.now()
    const verdict = assess({
      idleForMs: now - client.idleSince,
      ageMs: client.ageMs(now),
      maxLifetimeMs: client.maxLifetimeMs,
    })
    if (verdict === 'replace') return 'too old or idle for too long'
    const limitMs = Math.min(PROBE_LIMIT_MS, endAt - this.#clock.monotonicNow())
    if (verdict === 'probe' && !(await client.probe(limitMs))) return 'did not answer'
    return client.unfitness
  }

  /** Connects by the options; or takes one that came too late for the caller before, for whom there may be no other room. */
  async #connectClient(): Promise<CheckedOutClient> {
    const late = this.#popIdle()
    if (late !== undefined) return late
    // Sound because the pool was told to make its clients of this class.
    const client = (await super.connect()) as unknown as CheckedOutClient
    const release = client.release
    client.remove = () => release.call(client, true)
    client.release = (destroy) => this.#keep(client, destroy ? GIVEN_BACK_AS_BROKEN : client.unfitness)
    client.on('error', (error) => this.#dropIdle(client, error))
    return client
  }

  /** As pg-pool does when a connection breaks that nobody uses. */
  #dropIdle(client: CheckedOutClient, error: Error): void {
    const at = this.#idle.indexOf(client)
    if (at === -1) return
    this.#idle.splice(at, 1)
    this.emit('acquire', client)
    client.remove()
    this.emit('error', error, client)
  }

  /** As pg's. */
  #end(callback?: () => void): Promise<void> | undefined {
    // Sound: pg-pool takes a callback or gives a promise, like its types in two signatures.
    const ended = super.end(callback as () => void) as Promise<void> | undefined
    // An idle connection holds no process: closing it does, until it is closed.
    for (let client = this.#popIdle(); client !== undefined; client = this.#popIdle()) client.remove()
    return ended
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
