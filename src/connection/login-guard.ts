/** Keeps refused logins away from the server, so that they cannot trip CockroachDB Cloud's login throttle. */
import type { Password } from '../base/password.ts'

const FIRST_BLOCK_MS = 60_000
const LONGEST_BLOCK_MS = 15 * 60_000

/** Who asks whom, with which password. */
export interface Credentials {
  readonly host: string
  readonly user: string
  readonly password: Password | undefined
}

export function isSameLogin(a: Credentials, b: Credentials): boolean {
  const isSamePassword = a.password === undefined ? b.password === undefined : a.password.equals(b.password)
  return isSamePassword && a.user === b.user && a.host === b.host
}

export class LoginGuard {
  #refused: readonly Credentials[] = []
  #failures = 0
  #blockedUntil = 0

  /** How long this login has to wait, in milliseconds; 0 for one that was not refused. */
  waitMs(login: Credentials, now: number): number {
    return this.#isRefused(login) ? Math.max(0, this.#blockedUntil - now) : 0
  }

  /**
   * Every way to log in was refused: block for a minute, then for twice as long each time.
   *
   * @param logins what the secret held, the newest last
   */
  refuse(logins: readonly Credentials[], now: number): void {
    const newest = logins.at(-1)
    this.#failures = newest !== undefined && this.#isRefused(newest) ? this.#failures + 1 : 1
    this.#refused = logins
    this.#blockedUntil = now + Math.min(LONGEST_BLOCK_MS, FIRST_BLOCK_MS * 2 ** (this.#failures - 1))
  }

  admit(): void {
    this.#refused = []
    this.#failures = 0
  }

  #isRefused(login: Credentials): boolean {
    return this.#refused.some((refused) => isSameLogin(refused, login))
  }
}
