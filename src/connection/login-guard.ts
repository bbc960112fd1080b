/** Keeps refused logins away from the server, so that they cannot trip CockroachDB Cloud's login throttle. */
import type { Password } from '../base/password.ts'
import { processWide } from '../base/process-wide.ts'

const FIRST_BLOCK_MS = 60_000
const LONGEST_BLOCK_MS = 15 * 60_000
/** How many refused logins are kept in mind; the oldest is forgotten for one more. */
const MOST_REFUSED = 100

/** Who asks whom, with which password. */
export interface Credentials {
  /** Host, port and cluster. */
  readonly server: string
  readonly user: string
  /** Undefined for all databases of the server. */
  readonly dbname: string | undefined
  /** A method of its own class: the other login may be one of another copy of this package. */
  readonly password: Pick<Password, 'reveal'> | undefined
}

interface RefusedLogin {
  readonly login: Credentials
  readonly failures: number
  readonly blockedUntil: number
}

interface Turn {
  readonly login: Credentials
  /** Gives whether the server admitted the login. */
  readonly ended: Promise<boolean>
}

/** What a login may do now, and what it has to call in the end. */
export interface Admission {
  /** True when others went before: what they found out is known by now. */
  readonly hasWaited: boolean
  readonly leave: (isAdmitted: boolean) => void
}

export function isSameLogin(a: Credentials, b: Credentials): boolean {
  const isSameDatabase = a.dbname === undefined || b.dbname === undefined || a.dbname === b.dbname
  return isSameDatabase && a.server === b.server && a.user === b.user && a.password?.reveal() === b.password?.reveal()
}

export class LoginGuard {
  #refused: readonly RefusedLogin[] = []
  #turns: readonly Turn[] = []

  /** Resolves when nobody else tries the same login, or as soon as the server admitted it: the others then go side by side. */
  async enter(login: Credentials): Promise<Admission> {
    let hasWaited = false
    for (;;) {
      const other = this.#turns.find((turn) => isSameLogin(turn.login, login))
      if (other === undefined) break
      hasWaited = true
      if (await other.ended) return { hasWaited, leave: () => undefined }
    }
    const { promise: ended, resolve } = Promise.withResolvers<boolean>()
    const own: Turn = { login, ended }
    this.#turns = [...this.#turns, own]
    const leave = (isAdmitted: boolean): void => {
      this.#turns = this.#turns.filter((turn) => turn !== own)
      resolve(isAdmitted)
    }
    return { hasWaited, leave }
  }

  /** How long this login has to wait, in milliseconds; 0 for one that was not refused. */
  waitMs(login: Credentials, now: number): number {
    const waits = this.#refused.filter((refused) => isSameLogin(refused.login, login))
    return Math.max(0, ...waits.map(({ blockedUntil }) => blockedUntil - now))
  }

  /** Every way to log in was refused: blocks each for a minute, then for twice as long each time. */
  refuse(logins: readonly Credentials[], now: number): void {
    for (const login of logins) {
      const before = this.#refused.find((refused) => isSameLogin(refused.login, login))
      const failures = (before?.failures ?? 0) + 1
      const blockedUntil = now + Math.min(LONGEST_BLOCK_MS, FIRST_BLOCK_MS * 2 ** (failures - 1))
      const others = this.#refused.filter((refused) => refused !== before)
      this.#refused = [...others, { login, failures, blockedUntil }].slice(-MOST_REFUSED)
    }
  }

  admit(login: Credentials): void {
    this.#refused = this.#refused.filter((refused) => !isSameLogin(refused.login, login))
  }
}

/** The one guard of a process: a pool that is closed and opened anew is no other client to the server. */
export const LOGIN_GUARD = processWide('login-guard.1', () => new LoginGuard())
