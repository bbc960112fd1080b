/** Logs in with the secret's password, and with its successor when a rotation is under way. */
import type { Clock } from './clock.ts'
import { ConnectionError } from './connection-error.ts'
import type { ConnectionSource, ResolvedConnection } from './connection-source.ts'
import { LoginGuard } from './login-guard.ts'

/** While a password is blocked, the secret is looked up this often to see whether it changed. */
const LOOK_AGAIN_MS = 10_000

/** Opens one connection; rejects with `ERR_AUTHENTICATION` when the server refuses user or password. */
export type Dial<Client> = (connection: ResolvedConnection) => Promise<Client>

function isRefusal(error: unknown): error is ConnectionError {
  return error instanceof ConnectionError && error.code === 'ERR_AUTHENTICATION'
}

function hasOtherLogin(a: ResolvedConnection, b: ResolvedConnection): boolean {
  const isSamePassword = a.password === undefined ? b.password === undefined : a.password.equals(b.password)
  return !isSamePassword || a.parameters.user !== b.parameters.user || a.parameters.host !== b.parameters.host
}

export class Login {
  readonly #source: ConnectionSource
  readonly #clock: Clock
  readonly #guard = new LoginGuard()
  #isProven = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #turn: Promise<unknown> = Promise.resolve()

  constructor(source: ConnectionSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /**
   * Opens a connection with `dial`. Until a password has been accepted, logins go one at a time, so that a wrong one
   * reaches the server once and not once for each connection.
   *
   * @throws ConnectionError `ERR_AUTHENTICATION` when every password that the secret offers is refused.
   */
  open<Client>(dial: Dial<Client>): Promise<Client> {
    if (this.#isProven) return this.#open(dial)
    const attempt = this.#turn.then(() => this.#open(dial))
    this.#turn = attempt.catch(() => undefined)
    return attempt
  }

  async #open<Client>(dial: Dial<Client>): Promise<Client> {
    const first = await this.#unblocked()
    let refusal: ConnectionError | undefined
    for await (const connection of this.#candidates(first)) {
      try {
        const client = await dial(connection)
        this.#isProven = true
        this.#guard.admit()
        this.#source.accepted(connection)
        return client
      } catch (error) {
        if (!isRefusal(error)) throw error
        this.#isProven = false
        refusal = error
      }
    }
    this.#guard.refuse(first.password, this.#clock.now())
    throw refusal
  }

  /** The passwords to try, each at most once: the kept one; the current one if it changed, else the coming one. */
  async *#candidates(first: ResolvedConnection): AsyncGenerator<ResolvedConnection> {
    yield first
    const fresh = await this.#source.reread().catch(() => undefined)
    this.#lookedAt = this.#clock.now()
    if (fresh === undefined) return
    if (hasOtherLogin(fresh, first)) {
      yield fresh
      return
    }
    const pending = await this.#source.pending().catch(() => undefined)
    if (pending !== undefined && hasOtherLogin(pending, first)) yield pending
  }

  /** The connection to try first, unless its password was refused and still has to wait. */
  async #unblocked(): Promise<ResolvedConnection> {
    const kept = await this.#source.current()
    const waitMs = this.#guard.waitMs(kept.password, this.#clock.now())
    if (waitMs === 0) return kept
    const changed = await this.#lookAgain(kept)
    if (changed !== undefined) return changed
    throw new ConnectionError(
      'ERR_AUTHENTICATION',
      `the server refused this password for user "${kept.parameters.user}"; it is not tried again for ${Math.ceil(waitMs / 1000)} s`,
      { hint: 'Correct the secret: a changed password is used at once.', safeToRetry: true },
    )
  }

  async #lookAgain(kept: ResolvedConnection): Promise<ResolvedConnection | undefined> {
    if (this.#clock.now() - this.#lookedAt < LOOK_AGAIN_MS) return undefined
    this.#lookedAt = this.#clock.now()
    const fresh = await this.#source.reread().catch(() => undefined)
    return fresh !== undefined && hasOtherLogin(fresh, kept) ? fresh : undefined
  }
}
