/** Decides how long a caller waits for a client that others have. */
import type { Clock } from '../base/clock.ts'
import { endOfStep } from '../lambda/deadline.ts'
import type { Lease } from './lease.ts'

/** Without `connect_timeout`: this long without progress, in seconds. */
const STALL_SECONDS = 5
/** Progress is looked for this often before that. */
const LOOKS = 5

/** Changes when a client is released and lent again, and when the server sends something. */
function progressOf(lent: readonly Lease[]): number {
  return lent.reduce((sum, { client }) => sum + client.uses + client.bytesRead, 0)
}

export class Patience {
  /** As the pool has them: they change meanwhile. */
  readonly #lent: readonly Lease[]
  readonly #clock: Pick<Clock, 'monotonicNow'>
  readonly #startedAt: number
  readonly #deadlineAt = endOfStep(Number.POSITIVE_INFINITY, 0)
  #movedAt: number
  #progress: number

  constructor(lent: readonly Lease[], clock: Pick<Clock, 'monotonicNow'>) {
    this.#lent = lent
    this.#clock = clock
    this.#startedAt = clock.monotonicNow()
    this.#movedAt = this.#startedAt
    this.#progress = progressOf(lent)
  }

  get waitedMs(): number {
    return this.#clock.monotonicNow() - this.#startedAt
  }

  /** True when those who have the clients made progress, and not long ago. */
  get isMoving(): boolean {
    return this.#movedAt > this.#startedAt && this.#clock.monotonicNow() - this.#movedAt < this.#stallMs
  }

  /**
   * Milliseconds until the caller has to look again; 0 or less when the wait is over: at the invocation's deadline,
   * and when another invocation has ended and kept its client;
   * without one, or while clients are only being opened, after `connect_timeout` without progress.
   */
  readonly nextLookMs = (): number => {
    if (this.#lent.some(({ isForgotten }) => isForgotten)) return 0
    const now = this.#clock.monotonicNow()
    const progress = progressOf(this.#lent)
    if (progress !== this.#progress) this.#movedAt = now
    this.#progress = progress
    const waitsForDeadline = this.#deadlineAt < Number.POSITIVE_INFINITY && this.#lent.length > 0
    const stalledAt = waitsForDeadline ? Number.POSITIVE_INFINITY : this.#movedAt + this.#stallMs
    return Math.min(this.#stallMs / LOOKS, stalledAt - now, this.#deadlineAt - now)
  }

  get #stallMs(): number {
    return (this.#lent[0]?.client.openedWith?.parameters.connect_timeout || STALL_SECONDS) * 1000
  }
}
