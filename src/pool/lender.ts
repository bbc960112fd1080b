/** Lends the pool's clients, each to one caller at a time and never more than `max` at once. */
import { nameCallers } from '../base/caller.ts'
import type { Clock } from '../base/clock.ts'
import { publish } from '../base/diagnostics.ts'
import { deadlineError, endOfStep } from '../lambda/deadline.ts'
import type { DatabaseClient } from './client.ts'
import { type Holder, Lease } from './lease.ts'
import { heldAround, neverReleased, waitedInVain } from './lease-error.ts'
import type { ConnectionOpener } from './opener.ts'
import { Patience } from './patience.ts'
import { Permits } from './permits.ts'
import { type PoolClients, removeFrom } from './pool-clients.ts'

/** Everything from the check of an idle connection to the end of the login. */
const CONNECT_LIMIT_MS = 5000

export class Lender {
  readonly #clients: PoolClients
  readonly #opener: ConnectionOpener
  readonly #clock: Pick<Clock, 'monotonicNow'>
  readonly #max: number
  /** One for each client that is lent, or is checked or opened for somebody. */
  readonly #permits: Permits
  readonly #leases: Lease[] = []
  #isTerminated = false

  constructor(clients: PoolClients, opener: ConnectionOpener, max: number, clock: Pick<Clock, 'monotonicNow'>) {
    this.#clients = clients
    this.#opener = opener
    this.#clock = clock
    this.#max = max
    this.#permits = new Permits(max)
  }

  /** Those who have a client, and those for whom one is checked or opened. */
  get takenCount(): number {
    return this.#permits.takenCount
  }

  /** True when the execution environment is going away. */
  get isTerminated(): boolean {
    return this.#isTerminated
  }

  get waitingCount(): number {
    return this.#permits.waitingCount
  }

  /**
   * A client, checked; new if there is none that can be trusted.
   *
   * @param callSite where the caller's code asked, to name it when the client is never released
   * @param maxAttempts to open one, if the reason that it fails for may pass by itself
   * @param holder what has the client from now on, if that releases it only when it has ended
   * @throws ConnectionError: everything that connecting may throw, `ERR_CLOSED`, `ERR_DEADLINE`, `ERR_CLIENT_NOT_RELEASED`,
   * `ERR_TRANSACTION`.
   */
  async lend(callSite: Error | undefined, maxAttempts: number, holder?: Holder): Promise<Lease> {
    this.#clients.refuseWhenEnding()
    if (this.#endOfConnecting() <= this.#clock.monotonicNow()) throw deadlineError('no connection was taken', true)
    if (!this.#permits.tryAcquire()) await this.#wait(callSite)
    const endAt = this.#endOfConnecting()
    const client = (await this.#clients.takeIdle(endAt)) ?? (await this.#open(endAt, maxAttempts))
    return this.#leaseOf(client, callSite, holder)
  }

  /** The client that came back in this very millisecond, for the next statement, if there is one. */
  lendAtOnce(): Lease | undefined {
    if (!this.#permits.tryAcquire()) return undefined
    const client = this.#clients.takeFresh()
    if (client !== undefined) return this.#leaseOf(client, undefined, undefined)
    this.#permits.release()
    return undefined
  }

  /** Callers that wait for a client get `ERR_CLOSED`; those that have one, or for whom one is opened, go on. */
  refuseWaiting(): void {
    this.#permits.refuseWaiting()
  }

  /** Ends every session that is lent, whatever it does, and from now on each one as soon as it is. */
  terminate(): void {
    this.#isTerminated = true
    for (const { client } of this.#leases) client.terminate()
  }

  #endOfConnecting(): number {
    return endOfStep(CONNECT_LIMIT_MS, this.#clock.monotonicNow())
  }

  /** @throws ConnectionError `ERR_CLIENT_NOT_RELEASED` if an invocation has ended and kept its client. */
  #revokeForgotten(): void {
    const forgotten = this.#leases.find(({ isForgotten }) => isForgotten)
    if (forgotten === undefined) return
    forgotten.revoke()
    throw neverReleased(forgotten)
  }

  async #wait(callSite: Error | undefined): Promise<void> {
    this.#revokeForgotten()
    const around = this.#leases.filter(({ isHeldAround }) => isHeldAround)
    for (const lease of around) lease.waitingCount += 1
    try {
      // Each of them ends only after a client has come back, and none does before one of them has ended.
      const isDeadlock = this.#leases.length === this.#max && this.#leases.every(({ waitingCount }) => waitingCount > 0)
      if (isDeadlock && around.length > 0) throw heldAround(callSite, this.#max)
      const patience = new Patience(this.#leases, this.#clock)
      if (await this.#permits.acquire(patience.nextLookMs)) return
      this.#clients.refuseWhenEnding()
      this.#revokeForgotten()
      throw waitedInVain(this.#leases, this.#max, patience)
    } finally {
      for (const lease of around) lease.waitingCount -= 1
    }
  }

  /** The permit stays taken until the attempt has ended, even if the caller gives up: a client that comes late lies idle then. */
  async #open(endAt: number, maxAttempts: number): Promise<DatabaseClient> {
    const { inTime, atLast } = this.#opener.open(endAt, maxAttempts)
    try {
      return await inTime
    } catch (error) {
      nameCallers(error)
      const keep = (client: DatabaseClient): void => this.#clients.release(client, client.unfitness)
      void atLast.then(keep, () => undefined).then(() => this.#permits.release())
      throw error
    }
  }

  #leaseOf(client: DatabaseClient, callSite: Error | undefined, holder: Holder | undefined): Lease {
    const lease = new Lease(client, callSite, holder, this.#onEnd)
    if (client.uses > 0) publish('reuse', { backendPid: client.backendPid, uses: client.uses })
    client.uses += 1
    this.#leases.push(lease)
    if (this.#isTerminated) client.terminate()
    return lease
  }

  readonly #onEnd = (lease: Lease, unfitness: string | undefined, destroy?: Error | boolean): void => {
    removeFrom(this.#leases, lease)
    this.#clients.release(lease.client, unfitness, destroy)
    this.#permits.release()
  }
}
