/** Opens the pool's connections: tries again while the reason may pass by itself, until the time for connecting is over. */
import type { PoolConfig } from 'pg'
import { fullJitterMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { Dial } from '../connection/attempt.ts'
import { ConnectFailure, connectError } from '../connection/connect-error.ts'
import type { Login } from '../connection/login.ts'
import type { Destination, ResolvedConnection } from '../connection/source.ts'
import { tlsOptions } from '../connection/tls.ts'
import { outOfTime } from '../lambda/deadline.ts'
import { maxLifetimeMs } from './checkout.ts'
import type { CheckedOutClient } from './client.ts'

/** An attempt that runs out of time gets this long to tell what it waited for, in milliseconds. */
const REASON_MS = 25

/** What the attempts to open one connection share. */
interface Attempts {
  readonly max: number
  /** Why the last one failed that was not cut off by the time: it tells more than the one that was. */
  reason: ConnectionError | undefined
}

/** What pg needs for one connection: fields only, since a string would make it drop the certificate. */
function clientConfig(
  { parameters, rootCertificate }: Destination,
  resolve: () => Promise<ResolvedConnection>,
  timeoutMs: number,
): PoolConfig & { sslnegotiation: string } {
  const { host, port, dbname: database, user, sslmode, options } = parameters
  const ssl = tlsOptions(sslmode, rootCertificate.ca)
  return {
    host,
    port,
    database,
    user,
    ssl: ssl === false ? false : { ...ssl, ca: ssl.ca === undefined ? undefined : [...ssl.ca] },
    options,
    application_name: parameters.application_name,
    fallback_application_name: parameters.fallback_application_name,
    sslnegotiation: 'postgres',
    connectionTimeoutMillis: timeoutMs,
    password: async () => {
      const { password } = await resolve()
      if (password !== undefined) return password.reveal()
      throw new ConnectionError('ERR_CONFIG', `${host} asks for a password, and there is none`, {
        hint: 'Set PGPASSWORD, or put it into the secret.',
      })
    },
  }
}

/** Has pg connect and log in a client of the pool. */
type Connect = (config: PoolConfig) => Promise<CheckedOutClient>

export class ConnectionOpener {
  readonly #login: Login
  readonly #connect: Connect
  readonly #diagnostics: Diagnostics
  readonly #clock: Clock

  constructor(login: Login, connect: Connect, diagnostics: Diagnostics, clock: Clock) {
    this.#login = login
    this.#connect = connect
    this.#diagnostics = diagnostics
    this.#clock = clock
  }

  /**
   * A new connection. Gives up waiting at `endAt`, on the monotonic clock in milliseconds; a connection that comes later is
   * kept for the next caller.
   *
   * @throws ConnectionError: everything that reading the secret, connecting and logging in may throw, and `ERR_DEADLINE`.
   */
  open(endAt: number, maxAttempts: number): Promise<CheckedOutClient> {
    return new Promise((resolve, reject) => {
      let isTooLate = false
      const attempts: Attempts = { max: maxAttempts, reason: undefined }
      const giveUp = (): void => {
        isTooLate = true
        reject(attempts.reason ?? outOfTime('no connection was opened', endAt))
      }
      let timer = setTimeout(() => {
        // Counted from here: after a busy moment the attempt's own timer comes as late as this one.
        timer = setTimeout(giveUp, REASON_MS)
      }, endAt - this.#clock.monotonicNow())
      this.#tryUntil(endAt, attempts).then(
        (client) => {
          clearTimeout(timer)
          if (isTooLate) client.release()
          else resolve(client)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }

  /** Tries until the time for connecting is over, as long as the reason may pass by itself. */
  async #tryUntil(endAt: number, attempts: Attempts): Promise<CheckedOutClient> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#login.open(this.#dial(endAt, attempt))
      } catch (error) {
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

  #dial(endAt: number, attempt: number): Dial<CheckedOutClient> {
    return async (destination, resolve, signal) => {
      const { host, port, connect_timeout } = destination.parameters
      const startedAt = this.#clock.monotonicNow()
      const limitMs = Math.min(endAt - startedAt, (connect_timeout || Number.POSITIVE_INFINITY) * 1000)
      if (limitMs <= 0) throw outOfTime('no connection was opened', endAt)
      const config = { ...clientConfig(destination, resolve, Math.ceil(limitMs)), signal }
      const client = await this.#connect(config).catch((error: unknown) => {
        throw connectError(error, destination.parameters)
      })
      await this.#welcome(client, resolve)
      const ms = this.#clock.monotonicNow() - startedAt
      this.#diagnostics.publish('connect', { host, port, backendPid: client.backendPid, attempt, ms })
      return client
    }
  }

  /** A client that has logged in; a server that asked for no password may still turn out to be the wrong one. */
  async #welcome(client: CheckedOutClient, resolve: () => Promise<ResolvedConnection>): Promise<void> {
    client.forgetPassword()
    client.maxLifetimeMs = maxLifetimeMs(this.#clock.random)
    try {
      client.source = await resolve()
    } catch (error) {
      client.release(true)
      throw error
    }
  }
}
