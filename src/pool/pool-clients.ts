/** The clients of a pool, from their opening to their end, and which of them lie idle. */
import type { EventEmitter } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import { assess, type Keeping } from './checkout.ts'
import type { DatabaseClient, DatabaseClientConfig } from './client.ts'
import type { ConnectTimings } from './connect-timings.ts'

const PROBE_LIMIT_MS = 1000
/** For the server to close its side of a connection; one that is gone never does. */
const CLOSE_LIMIT_MS = 1000

export interface PoolClientsParts {
  readonly createClient: (config: DatabaseClientConfig) => DatabaseClient
  /** Emits pg-pool's events: `connect`, `acquire`, `release`, `remove` and `error`. */
  readonly events: Pick<EventEmitter, 'emit'>
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  readonly keeping: Keeping
}

/** Lets sockets report what happened to them while the execution environment was frozen. */
function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A Set instead of such a list leaves a chain of old tables, which keep young garbage alive until a full collection. */
export function removeFrom<Item>(list: Item[], item: Item): boolean {
  const at = list.indexOf(item)
  if (at !== -1) list.splice(at, 1)
  return at !== -1
}

export class PoolClients {
  readonly #createClient: PoolClientsParts['createClient']
  readonly #events: PoolClientsParts['events']
  readonly #diagnostics: Diagnostics
  readonly #clock: Clock
  readonly #keeping: Keeping
  /** Those that are being opened, lie idle or are in use. */
  readonly #all: DatabaseClient[] = []
  /** Last come, first taken. */
  readonly #idle: DatabaseClient[] = []
  #closingCount = 0
  #isEnding = false
  readonly #ended = Promise.withResolvers<void>()

  constructor({ createClient, events, diagnostics, clock, keeping }: PoolClientsParts) {
    this.#createClient = createClient
    this.#events = events
    this.#diagnostics = diagnostics
    this.#clock = clock
    this.#keeping = keeping
  }

  /** Settles when all were closed for good. */
  get whenEnded(): Promise<void> {
    return this.#ended.promise
  }

  get totalCount(): number {
    return this.#all.length
  }

  get idleCount(): number {
    return this.#idle.length
  }

  /** @throws ConnectionError `ERR_CLOSED` once `end()` was called. */
  refuseWhenEnding(): void {
    if (!this.#isEnding) return
    const hint = 'Leave it open between invocations: no end(), no destroy(). After one, take a new pool with getPool().'
    throw new ConnectionError('ERR_CLOSED', 'the pool was closed', { hint, safeToRetry: true })
  }

  /**
   * Has pg connect a new client and log in, which `accept` then looks at.
   *
   * @param explain makes the error that is thrown, of what pg or `accept` threw and of how far the client came
   * @throws ConnectionError `ERR_CLOSED` once `end()` was called; else the explained error, and the client is closed.
   */
  async connect(
    config: DatabaseClientConfig,
    accept: (client: DatabaseClient) => Promise<void>,
    explain: (error: unknown, reached: ConnectTimings) => unknown,
  ): Promise<DatabaseClient> {
    this.refuseWhenEnding()
    const client = this.#createClient(config)
    client.openedAt = this.#clock.steadyNow()
    client.maxLifetimeMs = this.#keeping.maxLifetimeMs()
    this.#all.push(client)
    try {
      await client.connect()
      await accept(client)
    } catch (error) {
      client.destroy()
      removeFrom(this.#all, client)
      this.#settleWhenEmpty()
      throw explain(error, client.connectTimings)
    }
    client.on('error', (error) => this.#discardIdle(client, error))
    this.#events.emit('connect', client)
    return this.#acquired(client)
  }

  /** An idle client that can be trusted, if there is one; those found before it that cannot are closed. */
  async takeIdle(endAt: number): Promise<DatabaseClient | undefined> {
    for (let client = this.#popIdle(); client !== undefined; client = this.#popIdle()) {
      const unfitness = await this.#unfitness(client, endAt)
      if (unfitness === undefined) return this.#acquired(client)
      this.#discard(client, unfitness)
    }
    return undefined
  }

  /** The client that came back in this very millisecond, if there is one: nothing can have frozen since. */
  takeFresh(): DatabaseClient | undefined {
    const client = this.#idle.at(-1)
    if (client?.returnedAt !== this.#clock.now()) return undefined
    if (client.idleSince - client.openedAt > client.maxLifetimeMs || client.unfitness !== undefined) return undefined
    this.#popIdle()
    return this.#acquired(client)
  }

  /**
   * Has a client lie idle, to be taken again; closes it when it is unfit for that, and when the pool is ending.
   *
   * @param destroy what its user passed to `release()`
   */
  release(client: DatabaseClient, unfitness: string | undefined, destroy?: Error | boolean): void {
    client.idleSince = this.#clock.steadyNow()
    client.returnedAt = this.#clock.now()
    this.#events.emit('release', destroy, client)
    const reason = unfitness ?? (client.uses >= this.#keeping.maxUses ? 'used for maxUses times' : undefined)
    if (reason !== undefined) this.#discard(client, reason)
    else if (this.#isEnding) this.#close(client)
    else {
      // A process that has nothing else to do may end.
      client.unref()
      this.#idle.push(client)
    }
  }

  /** Opens and keeps none any more, and closes the idle ones; settles when all are closed. */
  end(): Promise<void> {
    this.#isEnding = true
    // An idle connection holds no process: closing it does, until it is closed.
    for (let client = this.#popIdle(); client !== undefined; client = this.#popIdle()) this.#close(client)
    this.#settleWhenEmpty()
    return this.#ended.promise
  }

  #popIdle(): DatabaseClient | undefined {
    const client = this.#idle.pop()
    if (client === undefined) return undefined
    client.ref()
    return client
  }

  #acquired(client: DatabaseClient): DatabaseClient {
    this.#events.emit('acquire', client)
    return client
  }

  /** Why a client that lay idle is not to be used, if there is a reason. */
  async #unfitness(client: DatabaseClient, endAt: number): Promise<string | undefined> {
    await eventLoopTurn()
    const now = this.#clock.steadyNow()
    const { idleSince, openedAt, maxLifetimeMs } = client
    const verdict = assess({
      ...{ idleForMs: now - idleSince, ageMs: now - openedAt, maxLifetimeMs },
      idleTimeoutMs: this.#keeping.idleTimeoutMs,
    })
    if (verdict === 'replace') return 'too old or idle for too long'
    const limitMs = Math.min(PROBE_LIMIT_MS, endAt - this.#clock.monotonicNow())
    if (verdict === 'probe' && !(await client.probe(limitMs))) return 'did not answer'
    return client.unfitness
  }

  /** An idle connection was lost. */
  #discardIdle(client: DatabaseClient, error: Error): void {
    if (!removeFrom(this.#idle, client)) return
    this.#discard(client, 'lost while idle')
    // As pg's pool has it; not enumerable, so that whoever logs the error does not log the client.
    Object.defineProperty(error, 'client', { value: client, configurable: true })
    this.#events.emit('error', error, client)
  }

  #discard(client: DatabaseClient, reason: string): void {
    this.#close(client)
    const { backendPid, idleSince, openedAt } = client
    const now = this.#clock.steadyNow()
    this.#diagnostics.publish('discard', { reason, ageMs: now - openedAt, idleForMs: now - idleSince, backendPid })
  }

  #close(client: DatabaseClient): void {
    removeFrom(this.#all, client)
    this.#closingCount += 1
    const timer = setTimeout(() => client.destroy(), CLOSE_LIMIT_MS).unref()
    client.end(() => {
      clearTimeout(timer)
      this.#closingCount -= 1
      this.#events.emit('remove', client)
      this.#settleWhenEmpty()
    })
  }

  #settleWhenEmpty(): void {
    if (!this.#isEnding || this.#all.length > 0 || this.#closingCount > 0) return
    this.#ended.resolve()
  }
}
