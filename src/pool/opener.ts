/** Opens the pool's connections: tries again while the reason may pass by itself, until the time for connecting is over. */
import { fullJitterMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { Password } from '../base/password.ts'
import { within } from '../base/within.ts'
import type { Dial } from '../connection/attempt.ts'
import { ConnectFailure, connectError } from '../connection/connect-error.ts'
import type { Login } from '../connection/login.ts'
import type { Destination, ResolvedConnection } from '../connection/source.ts'
import { tlsOptions } from '../connection/tls.ts'
import { FAIR_MS, outOfTime } from '../lambda/deadline.ts'
import type { PoolOptions } from '../settings/pool-options.ts'
import type { DatabaseClient, DatabaseClientConfig } from './client.ts'
import { clearTextStream } from './pg.ts'
import type { PoolClients } from './pool-clients.ts'
import { traceConnect } from './traces.ts'

/** An attempt that runs out of time gets this long to tell what it waited for, in milliseconds. */
const REASON_MS = 25

/** Around what onConnect threw, until it is the caller's: it says nothing about this login, whatever it is. */
class OnConnectFailure extends Error {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    super('onConnect() failed', { cause: thrown })
    this.thrown = thrown
  }
}

/** What the attempts to open one connection share. */
interface Attempts {
  readonly max: number
  /** Why the last one failed that was not cut off by the time: it says more than the one that was. */
  reason: ConnectionError | undefined
}

/** What pg needs for one connection: fields only, since a string would make it drop the certificate. */
function clientConfig(
  { onConnect, maxUses, maxLifetimeSeconds, idleTimeoutMillis, ...ownOptions }: PoolOptions,
  { parameters, rootCertificate, clientCertificate }: Destination,
  resolve: () => Promise<ResolvedConnection>,
  timeoutMs: number,
): DatabaseClientConfig {
  const { host, port, dbname: database, user, sslmode, options } = parameters
  const ssl = tlsOptions(sslmode, rootCertificate.ca, clientCertificate)
  return {
    ...ownOptions,
    host,
    port,
    database,
    user,
    // The host, which a certificate for an IP address is compared with: older copies of pg tell Node names only.
    ssl: ssl === false ? false : { ...ssl, host, ca: ssl.ca === undefined ? undefined : [...ssl.ca] },
    ...(ssl === false && clearTextStream(host)),
    requirements: parameters,
    enableChannelBinding: parameters.channel_binding === 'require',
    options,
    application_name: parameters.application_name,
    fallback_application_name: parameters.fallback_application_name,
    sslnegotiation: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    password: async () => {
      const { password } = await resolve()
      if (password !== undefined) return password.reveal()
      throw new ConnectionError('ERR_CONFIG', `${host} asks for a password, and there is none`, {
        hint: `Set PGPASSWORD, or put it into the secret${clientCertificate === undefined ? '' : ': the client certificate does not suffice'}.`,
      })
    },
  }
}

/** A client that is being opened for a caller. */
export interface Opening {
  /** Rejects when the caller's time is up, even if the attempt goes on. */
  readonly inTime: Promise<DatabaseClient>
  /** What comes of it, however late. */
  readonly atLast: Promise<DatabaseClient>
}

export interface ConnectionOpenerParts {
  readonly login: Login
  readonly clients: PoolClients
  readonly diagnostics: Diagnostics
  readonly clock: Clock
  readonly options: PoolOptions
  /** pg's, as it is by then: instrumentation replaces it. */
  readonly connectMethod: () => object
}

export class ConnectionOpener {
  readonly #login: Login
  readonly #clients: PoolClients
  readonly #diagnostics: Diagnostics
  readonly #clock: Clock
  readonly #options: PoolOptions
  readonly #connectMethod: () => object

  constructor({ login, clients, diagnostics, clock, options, connectMethod }: ConnectionOpenerParts) {
    this.#login = login
    this.#clients = clients
    this.#diagnostics = diagnostics
    this.#clock = clock
    this.#options = options
    this.#connectMethod = connectMethod
  }

  /**
   * A new connection for a caller who gives up at `endAt`, on the monotonic clock in milliseconds.
   *
   * @throws ConnectionError: everything that reading the secret, connecting and logging in may throw, and `ERR_DEADLINE`.
   */
  open(endAt: number, maxAttempts: number): Opening {
    const attempts: Attempts = { max: maxAttempts, reason: undefined }
    const isHasty = endAt - this.#clock.monotonicNow() < FAIR_MS
    const atLast = this.#tryUntil(endAt, attempts).catch((error: unknown) => {
      const isLate = isHasty && this.#clock.monotonicNow() >= endAt
      throw isLate ? (attempts.reason ?? outOfTime('no connection was opened', endAt)) : error
    })
    return { atLast, inTime: this.#untilGivenUp(atLast, endAt, attempts) }
  }

  #untilGivenUp(opening: Promise<DatabaseClient>, endAt: number, attempts: Attempts): Promise<DatabaseClient> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => reject(attempts.reason ?? outOfTime('no connection was opened', endAt))
      let timer = setTimeout(() => {
        // Counted from here: after a busy moment the attempt's own timer comes as late as this one.
        timer = setTimeout(giveUp, REASON_MS)
      }, endAt - this.#clock.monotonicNow())
      opening.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  /** Tries until the time for connecting is over, as long as the reason may pass by itself. */
  async #tryUntil(endAt: number, attempts: Attempts): Promise<DatabaseClient> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#login.open(this.#dial(endAt, attempt))
      } catch (error) {
        if (error instanceof OnConnectFailure) throw error.thrown
        if (!(error instanceof ConnectionError)) throw error
        const now = this.#clock.monotonicNow()
        const retry = error instanceof ConnectFailure ? error.retry : undefined
        const waitMs = retry === undefined ? Number.POSITIVE_INFINITY : fullJitterMs(attempt, retry, this.#clock.random)
        const isLast = attempt + 1 >= attempts.max || now + waitMs >= endAt
        const retryInMs = isLast ? undefined : waitMs
        this.#diagnostics.publish('connectFailed', { code: error.code, message: error.message, attempt, retryInMs })
        if (retryInMs === undefined) throw now >= endAt ? (attempts.reason ?? error) : error
        attempts.reason = error
        await this.#clock.sleep(retryInMs)
      }
    }
  }

  #dial(endAt: number, attempt: number): Dial<DatabaseClient> {
    return async (destination, resolve, signal) => {
      const { host, port, connect_timeout } = destination.parameters
      const startedAt = this.#clock.monotonicNow()
      const limitMs = Math.min(endAt - startedAt, (connect_timeout || Number.POSITIVE_INFINITY) * 1000)
      if (limitMs <= 0) throw outOfTime('no connection was opened', endAt)
      let sent: Password | undefined
      const resolveToSend = async (): Promise<ResolvedConnection> => {
        const connection = await resolve()
        sent = connection.password
        return connection
      }
      const ownConfig = clientConfig(this.#options, destination, resolveToSend, Math.ceil(limitMs))
      const config: DatabaseClientConfig = { ...ownConfig, signal }
      let ownFailure: OnConnectFailure | undefined
      const welcome = async (client: DatabaseClient): Promise<void> => {
        client.endLogin()
        // A server that asked for no password may still turn out to be the wrong one.
        client.openedWith = await resolve()
        const { onConnect } = this.#options
        if (onConnect === undefined) return
        const tooLate = {
          limitMs: endAt - this.#clock.monotonicNow(),
          error: () => outOfTime('onConnect() took too long', endAt),
        }
        await within(tooLate, (async () => onConnect(client))()).catch((error: unknown) => {
          ownFailure = new OnConnectFailure(error)
          throw ownFailure
        })
      }
      const connect = (): Promise<DatabaseClient> =>
        this.#clients.connect(
          config,
          welcome,
          (error, reached) =>
            ownFailure ?? connectError(error, destination.parameters, [sent], reached, destination.clientCertificate),
        )
      const client = await traceConnect(destination.parameters, this.#connectMethod(), connect)
      const ms = this.#clock.monotonicNow() - startedAt
      this.#diagnostics.publish('connect', { host, port, backendPid: client.backendPid, attempt, ms })
      return client
    }
  }
}
