/** Blocks logins that the server refused, so that repeats do not set off CockroachDB Cloud's login throttle. */
import type { Password } from '../base/password.ts'
import { processWide } from '../base/process-wide.ts'

const FIRST_BLOCK_MS = 60_000
const LONGEST_BLOCK_MS = 15 * 60_000
/** A server that is silent for longer, in milliseconds, delays the login that it does not answer, and no other. */
const LONGEST_TURN_MS = 2000
/** The most refused logins that are stored; for one more the oldest is removed. */
const MOST_REFUSED = 100

/** Server and user of a login, and what it proves the user with. */
export interface Credentials {
  /** Host, port and cluster. */
  readonly server: string
  readonly user: string
  /** Undefined for all databases of the server. */
  readonly dbname: string | undefined
  /** The kind of the password source; undefined for a password that stays the same. */
  readonly kind?: string | undefined
  /**
   * Undefined with a password source, whose passwords may differ each time. Compared by a method, since another copy of
   * this package has another class.
   */
  readonly password: Pick<Password, 'reveal'> | undefined
  /** Of the client certificate, by its SHA-256. */
  readonly certificate?: string | undefined
}

interface RefusedLogin {
  readonly login: Credentials
  readonly failures: number
  readonly blockedUntil: number
}

interface Turn {
  readonly login: Credentials
  /** Resolves to whether the server admitted the login. */
  readonly ended: Promise<boolean>
}

/** The turn of a login, which calls `leave` at its end. */
export interface Admission {
  /** True when the login waited for others: the secret may have been read again since. */
  readonly hasWaited: boolean
  readonly leave: (isAdmitted: boolean) => void
}

export function isSameLogin(a: Credentials, b: Credentials): boolean {
  const isSameDatabase = a.dbname === undefined || b.dbname === undefined || a.dbname === b.dbname
  const isSameUser = isSameDatabase && a.server === b.server && a.user === b.user
  const isSameProof = a.kind === b.kind && a.certificate === b.certificate
  return isSameUser && isSameProof && a.password?.reveal() === b.password?.reveal()
}

export class LoginGuard {
  readonly #longestTurnMs: number
  #refused: readonly RefusedLogin[] = []
  #turns: readonly Turn[] = []

  constructor(longestTurnMs = LONGEST_TURN_MS) {
    this.#longestTurnMs = longestTurnMs
  }

  /**
   * Resolves when it is this attempt's turn: one of those with the same login at a time, and all at once when the
   * server has admitted one. A turn ends at its longest even if the attempt goes on.
   */
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
      clearTimeout(timer)
      this.#turns = this.#turns.filter((turn) => turn !== own)
      resolve(isAdmitted)
    }
    const timer = setTimeout(leave, this.#longestTurnMs, false).unref()
    return { hasWaited, leave }
  }

  /** How long this login must wait, in milliseconds; 0 for one that was not refused. */
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

/** One for the process: to the server, a pool that is closed and opened again is the same client. */
export const LOGIN_GUARD = processWide('login-guard.2', () => new LoginGuard())
