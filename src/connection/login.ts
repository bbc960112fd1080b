/** Logs in with the secret's password, and during a rotation with the next one; or with one that is made for the login. */
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import { publish } from '../base/diagnostics.ts'
import { attempt, type Candidate, candidateOf, type Dial } from './attempt.ts'
import { type Admission, type Credentials, isSameLogin, LOGIN_GUARD, type LoginGuard } from './login-guard.ts'
import { type ConnectionSource, isSameDestination, type ResolvedConnection } from './source.ts'

/** While a password is blocked, the secret is read again at most this often, in case it has changed. */
const REREAD_AFTER_MS = 1000
/** The SQLSTATE for a user who may not log in, or not to this database; a wrong password is 28P01. */
const INVALID_AUTHORIZATION_SPECIFICATION = '28000'

type LoginConnectionSource = Pick<
  ConnectionSource,
  'early' | 'current' | 'withPassword' | 'renewed' | 'explained' | 'reread' | 'pending' | 'accepted'
>

function credentials({ parameters, passwordKind: kind, password, clientCertificate }: ResolvedConnection): Credentials {
  const { host, port, cluster = '', user, dbname } = parameters
  const certificate = clientCertificate?.leaf.fingerprint256
  const login = { server: `${host}:${port} ${cluster}`, user, dbname, kind, certificate }
  return { ...login, password: kind === undefined ? password : undefined }
}

/** A wrong password is wrong for every database of the server. */
function refusedCredentials(connection: ResolvedConnection, { cause }: ConnectionError): Credentials {
  const isOfDatabase = cause instanceof Error && 'code' in cause && cause.code === INVALID_AUTHORIZATION_SPECIFICATION
  return { ...credentials(connection), ...(!isOfDatabase && { dbname: undefined }) }
}

function blockedHint({ passwordKind, secret }: ResolvedConnection): string {
  if (passwordKind !== undefined) return 'See the hint of the first refusal.'
  return secret === undefined
    ? 'Correct the password in DATABASE_URL, PGPASSWORD or the options, and start again.'
    : 'Correct the secret: a changed password is used within a second.'
}

function hasOtherLogin(a: ResolvedConnection, b: ResolvedConnection): boolean {
  return !isSameLogin({ ...credentials(a), dbname: undefined }, credentials(b))
}

export class Login {
  readonly #connectionSource: LoginConnectionSource
  readonly #clock: Pick<Clock, 'now'>
  readonly #guard: LoginGuard
  #underWay = 0
  #rereadAt = Number.NEGATIVE_INFINITY

  constructor(connectionSource: LoginConnectionSource, clock: Pick<Clock, 'now'>, guard: LoginGuard = LOGIN_GUARD) {
    this.#connectionSource = connectionSource
    this.#clock = clock
    this.#guard = guard
  }

  /**
   * Opens a connection with `dial`. Of several at once the others wait until the password of the first is
   * accepted, so that a wrong one is sent to the server once and not once for each connection.
   *
   * @throws ConnectionError `ERR_AUTHENTICATION` when the server refuses every password of the secret.
   */
  async open<Client>(dial: Dial<Client>): Promise<Client> {
    this.#underWay += 1
    let admission: Admission | undefined
    let isAdmitted = false
    const enter = async (login: Credentials): Promise<Admission> => (admission = await this.#guard.enter(login))
    try {
      const client = await this.#open(dial, enter)
      isAdmitted = true
      return client
    } finally {
      this.#underWay -= 1
      admission?.leave(isAdmitted)
    }
  }

  async #open<Client>(dial: Dial<Client>, enter: LoginGuard['enter']): Promise<Client> {
    const refused: Credentials[] = []
    try {
      return await this.#tryCandidates(dial, enter, refused)
    } catch (error) {
      // Also when a later candidate failed for another reason.
      if (refused.length > 0) this.#guard.refuse(refused, this.#clock.now())
      throw error
    }
  }

  /** @param refused receives the logins that the server refuses */
  async #tryCandidates<Client>(
    dial: Dial<Client>,
    enter: LoginGuard['enter'],
    refused: Credentials[],
  ): Promise<Client> {
    let refusal: ConnectionError | undefined
    for await (const candidate of this.#candidates(enter, () => refusal)) {
      const outcome = await attempt(dial, candidate)
      if (outcome.kind === 'connected') {
        this.#guard.admit(credentials(outcome.connection))
        this.#connectionSource.accepted(outcome.connection)
        return outcome.client
      }
      if (outcome.kind === 'refused') {
        refusal = await this.#connectionSource.explained(outcome.connection, outcome.refusal)
        const { host, port, user } = outcome.connection.parameters
        publish('loginRefused', { host, port, user })
        // A pending version may be tried again as soon as it is the current one.
        const isPending = outcome.connection.secret?.versionStage === 'AWSPENDING'
        const login = refusedCredentials(outcome.connection, refusal)
        // Two passwords of one source count once.
        if (!isPending && !refused.some((other) => isSameLogin(other, login))) refused.push(login)
      }
    }
    throw refusal
  }

  /**
   * The candidates, each login at most once: that of the version in use, early if options and environment name the
   * server; then that of AWSCURRENT if it differs, else that of AWSPENDING. Or a second password of the password source.
   *
   * @param lastRefusal why the candidate before was refused
   */
  async *#candidates(
    enter: LoginGuard['enter'],
    lastRefusal: () => ConnectionError | undefined,
  ): AsyncGenerator<Candidate> {
    // The others wait for the end of the first one's turn without an early connection.
    const early = this.#underWay === 1 ? this.#connectionSource.early() : undefined
    const unblocked = this.#unblocked(enter)
    // The password is made while TCP and TLS are opened.
    const reading = unblocked.then((connection) => this.#connectionSource.withPassword(connection))
    reading.catch(() => undefined)
    if (early !== undefined) yield { destination: early, reading }
    const destination = await unblocked
    if (early === undefined || !isSameDestination(destination, early)) yield { destination, reading }
    const first = await reading
    const refusal = lastRefusal()
    if (first.passwordKind !== undefined) {
      const renewed = refusal && (await this.#connectionSource.renewed(first, refusal).catch(() => undefined))
      if (renewed !== undefined) yield candidateOf(renewed)
      return
    }
    const fresh = await this.#connectionSource.reread().catch(() => undefined)
    this.#rereadAt = this.#clock.now()
    if (fresh === undefined) return
    if (hasOtherLogin(fresh, first)) {
      if (this.#waitMs(fresh) === 0) yield candidateOf(fresh)
      return
    }
    const pending = await this.#connectionSource.pending().catch(() => undefined)
    if (pending !== undefined && hasOtherLogin(pending, first)) yield candidateOf(pending)
  }

  /** The connection to try first, unless its password is blocked. */
  async #unblocked(enter: LoginGuard['enter']): Promise<ResolvedConnection> {
    let inUse = await this.#connectionSource.current()
    const { hasWaited } = await enter(credentials(inUse))
    if (hasWaited) inUse = await this.#connectionSource.current()
    const waitMs = this.#waitMs(inUse)
    if (waitMs === 0) return inUse
    const changed = await this.#rereadChanged()
    if (changed !== undefined) return changed
    throw new ConnectionError(
      'ERR_AUTHENTICATION',
      `the server refused this ${inUse.clientCertificate === undefined ? 'password' : 'certificate'} for user "${inUse.parameters.user}"; it is not tried again for ${Math.ceil(waitMs / 1000)} s`,
      {
        hint: blockedHint(inUse),
        safeToRetry: true,
      },
    )
  }

  /** The secret, read again, if its login is not blocked. */
  async #rereadChanged(): Promise<ResolvedConnection | undefined> {
    if (this.#clock.now() - this.#rereadAt < REREAD_AFTER_MS) return undefined
    this.#rereadAt = this.#clock.now()
    const fresh = await this.#connectionSource.reread().catch(() => undefined)
    return fresh === undefined || this.#waitMs(fresh) > 0 ? undefined : fresh
  }

  #waitMs(connection: ResolvedConnection): number {
    return this.#guard.waitMs(credentials(connection), this.#clock.now())
  }
}
