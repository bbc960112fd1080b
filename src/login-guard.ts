/** Keeps a refused password away from the server, so that it cannot trip CockroachDB Cloud's login throttle. */
import type { Password } from './password.ts'

const FIRST_BLOCK_MS = 60_000
const LONGEST_BLOCK_MS = 15 * 60_000

export class LoginGuard {
  #refused: Password | undefined
  #failures = 0
  #blockedUntil = 0

  /** How long this password has to wait, in milliseconds; 0 for one that was not refused. */
  waitMs(password: Password | undefined, now: number): number {
    const isRefused = this.#refused?.equals(password)
    return isRefused ? Math.max(0, this.#blockedUntil - now) : 0
  }

  /** Every way to log in was refused: block for a minute, then for twice as long each time. */
  refuse(password: Password | undefined, now: number): void {
    this.#failures = password?.equals(this.#refused) ? this.#failures + 1 : 1
    this.#refused = password
    this.#blockedUntil = now + Math.min(LONGEST_BLOCK_MS, FIRST_BLOCK_MS * 2 ** (this.#failures - 1))
  }

  admit(): void {
    this.#refused = undefined
    this.#failures = 0
  }
}
