/** Logs in with the secret's password, and with its successor when a rotation is under way. */
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import { attempt, type Candidate, candidateOf, type Dial } from './attempt.ts'
import { type Credentials, isSameLogin, LoginGuard } from './login-guard.ts'
import { type ConnectionSource, isSameDestination, type ResolvedConnection } from './source.ts'

/** While a password is blocked, the secret is looked up this often to see whether it changed. */
const LOOK_AGAIN_MS = 1000

type Source = Pick<ConnectionSource, 'early' | 'current' | 'reread' | 'pending' | 'accepted'>

function credentials({ parameters, password }: ResolvedConnection): Credentials {
  return { host: parameters.host, user: parameters.user, password }
}

function hasOtherLogin(a: ResolvedConnection, b: ResolvedConnection): boolean {
  return !isSameLogin(credentials(a), credentials(b))
}

export class Login {
  readonly #source: Source
  readonly #clock: Pick<Clock, 'now'>
  readonly #guard = new LoginGuard()
  #underWay = 0
  #isProven = false
  #lookedAt = Number.NEGATIVE_INFINITY
  #turn: Promise<void> = Promise.resolve()

  constructor(source: Source, clock: Pick<Clock, 'now'>) {
    this.#source = source
    this.#clock = clock
  }

  /**
   * Opens a connection with `dial`. Of several at once the first goes ahead, and the others follow when its password
   * was accepted, so that a wrong one reaches the server once and not once for each connection.
   *
   * @throws ConnectionError `ERR_AUTHENTICATION` when every password that the secret offers is refused.
   */
  async open<Client>(dial: Dial<Client>): Promise<Client> {
    this.#underWay += 1
    try {
      return this.#isProven ? await this.#open(dial) : await this.#inTurn(dial)
    } finally {
      this.#underWay -= 1
      // A rotation may come at any time: the proof holds for those who were opening together.
      if (this.#underWay === 0) this.#isProven = false
    }
  }

  async #inTurn<Client>(dial: Dial<Client>): Promise<Client> {
    const before = this.#turn
    const { promise, resolve: pass } = Promise.withResolvers<void>()
    this.#turn = promise
    await before
    if (this.#isProven) pass()
    try {
      return await this.#open(dial)
    } finally {
      pass()
    }
  }

  async #open<Client>(dial: Dial<Client>): Promise<Client> {
    const refused: ResolvedConnection[] = []
    let refusal: ConnectionError | undefined
    for await (const candidate of this.#candidates()) {
      const outcome = await attempt(dial, candidate)
      if (outcome.kind === 'connected') {
        this.#isProven = true
        this.#guard.admit()
        this.#source.accepted(outcome.connection)
        return outcome.client
      }
      if (outcome.kind === 'refused') {
        this.#isProven = false
        refused.push(outcome.connection)
        refusal = outcome.refusal
      }
    }
    // A pending version may be tried again as soon as it is the current one.
    const current = refused.filter(({ secret }) => secret?.versionStage !== 'AWSPENDING')
    this.#guard.refuse(current.map(credentials), this.#clock.now())
    throw refusal
  }

  /**
   * What to try, each login at most once: the kept one, begun early where the server is known before the secret; the
   * current one if it changed, else the coming one.
   */
  async *#candidates(): AsyncGenerator<Candidate> {
    const early = this.#source.early()
    const reading = this.#unblocked()
    if (early !== undefined) yield { destination: early, reading }
    const first = await reading
    if (early === undefined || !isSameDestination(first, early)) yield candidateOf(first)
    const fresh = await this.#source.reread().catch(() => undefined)
    this.#lookedAt = this.#clock.now()
    if (fresh === undefined) return
    if (hasOtherLogin(fresh, first)) {
      yield candidateOf(fresh)
      return
    }
    const pending = await this.#source.pending().catch(() => undefined)
    if (pending !== undefined && hasOtherLogin(pending, first)) yield candidateOf(pending)
  }

  /** The connection to try first, unless its password was refused and still has to wait. */
  async #unblocked(): Promise<ResolvedConnection> {
    const kept = await this.#source.current()
    const waitMs = this.#guard.waitMs(credentials(kept), this.#clock.now())
    if (waitMs === 0) return kept
    const changed = await this.#lookAgain()
    if (changed !== undefined) return changed
    throw new ConnectionError(
      'ERR_AUTHENTICATION',
      `the server refused this password for user "${kept.parameters.user}"; it is not tried again for ${Math.ceil(waitMs / 1000)} s`,
      {
        hint:
          kept.secret === undefined
            ? 'Correct the password in DATABASE_URL, PGPASSWORD or the options, and start again.'
            : 'Correct the secret: a changed password is used within a second.',
        safeToRetry: true,
      },
    )
  }

  /** The secret as it is now, if it holds a login that was not refused. */
  async #lookAgain(): Promise<ResolvedConnection | undefined> {
    if (this.#clock.now() - this.#lookedAt < LOOK_AGAIN_MS) return undefined
    this.#lookedAt = this.#clock.now()
    const fresh = await this.#source.reread().catch(() => undefined)
    if (fresh === undefined || this.#guard.waitMs(credentials(fresh), this.#clock.now()) > 0) return undefined
    return fresh
  }
}
