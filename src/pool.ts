/** The pool: a `pg.Pool` whose connections come from the secret, are checked before use, and never outlast an invocation. */
import type { PoolClient, PoolConfig, QueryConfig, QueryResult } from 'pg'
import { type Backoff, fullJitterMs } from './backoff.ts'
import { assess, maxLifetimeMs } from './checkout.ts'
import { DatabaseClient } from './client.ts'
import type { Clock } from './clock.ts'
import { connectError, isServerFull, isTransient } from './connect-error.ts'
import { ConnectionError } from './connection-error.ts'
import type { Destination, ResolvedConnection } from './connection-source.ts'
import { currentInvocation, deadlineError, endOfStep, outOfTime } from './deadline.ts'
import type { Diagnostics } from './diagnostics.ts'
import type { Dial, Login } from './login.ts'
import { callerOf, type Holder, Permits } from './permits.ts'
import { Pool } from './pg.ts'
import { tlsOptions } from './tls.ts'

/** Everything from waiting for a free connection to the end of the login. */
const CONNECT_LIMIT_MS = 5000
const PROBE_LIMIT_MS = 1000
/** An attempt that runs out of time gets this long to tell what it waited for, in milliseconds. */
const REASON_MS = 25
const RECONNECT: Backoff = { baseMs: 100, capMs: 2000 }
/** A full server needs others to leave; asking it often makes it no emptier. */
const RECONNECT_WHEN_FULL: Backoff = { baseMs: 800, capMs: 2000 }

/** What the attempts to open one connection share. */
interface Attempts {
  readonly max: number
  /** Why the last one failed that was not cut off by the time: it tells more than the one that was. */
  reason: ConnectionError | undefined
}

/** A client of this pool; `await using` gives it back. */
export type CheckedOutClient = DatabaseClient & { release: (destroy?: Error | boolean) => void } & AsyncDisposable

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

/** What pg needs for one connection: fields only, since a string would make it drop the certificate. */
function clientConfig(
  { parameters, rootCertificate }: Destination,
  resolve: () => Promise<ResolvedConnection>,
  timeoutMs: number,
): PoolConfig & { sslnegotiation: string } {
  const { host, port, dbname: database, user, sslmode, options } = parameters
  const ssl = tlsOptions(sslmode, rootCertificate.ca)
  return {
    host,
    port,
    database,
    user,
    ssl: ssl === false ? false : { ...ssl, ca: ssl.ca === undefined ? undefined : [...ssl.ca] },
    options,
    application_name: parameters.application_name,
    fallback_application_name: parameters.fallback_application_name,
    sslnegotiation: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    password: async () => {
      const { password } = await resolve()
      if (password !== undefined) return password.reveal()
      throw new ConnectionError('ERR_CONFIG', `${host} asks for a password, and there is none`, {
        hint: 'Set PGPASSWORD, or put it into the secret.',
      })
    },
  }
}

export class DatabasePool extends Pool {
  readonly #login: Login
  readonly #clock: Clock
  readonly #diagnostics: Diagnostics
  readonly #permits: Permits
  /** No Set, for the reason that `Permits` has. */
  readonly #lent: DatabaseClient[] = []
  #isTerminated = false

  constructor(login: Login, max: number, diagnostics: Diagnostics, clock: Clock) {
    // No idle timer: while frozen none runs, and after a thaw all are overdue. Age is checked at checkout.
    super({ max, idleTimeoutMillis: 0, allowExitOnIdle: true, Client: DatabaseClient as never })
    this.#login = login
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
      return this.#lend((await this.#takeIdle(endAt)) ?? (await this.#openInTime(endAt, maxAttempts)), holder)
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
    await eventLoopTurn()
    while (this.idleCount > 0) {
      this.options.connectionTimeoutMillis = 0
      const client = await this.#connectClient()
      if (await this.#isFit(client, endAt)) return client
      client.release(true)
    }
    return undefined
  }

  async #isFit(client: CheckedOutClient, endAt: number): Promise<boolean> {
    const now = this.#clock.now()
    const verdict = assess({
      idleForMs: now - client.idleSince,
      ageMs: client.ageMs(now),
      maxLifetimeMs: client.maxLifetimeMs,
    })
    if (verdict === 'use' && client.unfitness === undefined) return true
    if (verdict === 'probe' && (await client.probe(Math.min(PROBE_LIMIT_MS, endAt - this.#clock.monotonicNow()))))
      return true
    this.#tellDiscard(client, verdict === 'replace' ? 'too old or idle for too long' : 'did not answer', now)
    return false
  }

  /** Gives up waiting when the time for connecting is over; a connection that comes later is kept for the next caller. */
  #openInTime(endAt: number, maxAttempts: number): Promise<CheckedOutClient> {
    return new Promise((resolve, reject) => {
      let isTooLate = false
      const attempts: Attempts = { max: maxAttempts, reason: undefined }
      const giveUp = (): void => {
        isTooLate = true
        reject(attempts.reason ?? outOfTime('no connection was opened', endAt))
      }
      let timer = setTimeout(() => {
        // Counted from here: after a busy moment the attempt's own timer comes as late as this one.
        timer = setTimeout(giveUp, REASON_MS)
      }, endAt - this.#clock.monotonicNow())
      this.#open(endAt, attempts).then(
        (client) => {
          clearTimeout(timer)
          if (isTooLate) client.release()
          else resolve(client)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }

  /** Tries until the time for connecting is over, as long as the reason may pass by itself. */
  async #open(endAt: number, attempts: Attempts): Promise<CheckedOutClient> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#login.open(this.#dial(endAt, attempt))
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error
        const now = this.#clock.monotonicNow()
        const waitMs = fullJitterMs(attempt, isServerFull(error) ? RECONNECT_WHEN_FULL : RECONNECT, this.#clock.random)
        const isLast = attempt + 1 >= attempts.max || now + waitMs >= endAt
        const retryInMs = isTransient(error) && !isLast ? waitMs : undefined
        this.#diagnostics.publish('connectFailed', { code: error.code, message: error.message, attempt, retryInMs })
        if (retryInMs === undefined) throw now >= endAt ? (attempts.reason ?? error) : error
        attempts.reason = error
        await this.#clock.sleep(retryInMs)
      }
    }
  }

  #dial(endAt: number, attempt: number): Dial<CheckedOutClient> {
    return async (destination, resolve, signal) => {
      const { host, port, connect_timeout } = destination.parameters
      const startedAt = this.#clock.monotonicNow()
      const limitMs = Math.min(endAt - startedAt, (connect_timeout || Number.POSITIVE_INFINITY) * 1000)
      if (limitMs <= 0) throw outOfTime('no connection was opened', endAt)
      // pg-pool makes the client from its options before it gives up control, so this cannot mix with another attempt.
      Object.assign(this.options, clientConfig(destination, resolve, Math.ceil(limitMs)), { signal })
      const client = await this.#connectClient().catch((error: unknown) => {
        throw connectError(error, destination.parameters)
      })
      await this.#welcome(client, resolve)
      const ms = this.#clock.monotonicNow() - startedAt
      this.#diagnostics.publish('connect', { host, port, backendPid: client.backendPid, attempt, ms })
      return client
    }
  }

  /** A client that has logged in; a server that asked for no password may still turn out to be the wrong one. */
  async #welcome(client: CheckedOutClient, resolve: () => Promise<ResolvedConnection>): Promise<void> {
    client.forgetPassword()
    client.maxLifetimeMs = maxLifetimeMs(this.#clock.random)
    try {
      client.source = await resolve()
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** Sound because the pool was told to make its clients of this class. */
  #connectClient(): Promise<CheckedOutClient> {
    return super.connect() as Promise<unknown> as Promise<CheckedOutClient>
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
