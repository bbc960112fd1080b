/** The one error class of this package. */

/**
 * What went wrong.
 *
 * - `ERR_CONFIG`: an option or environment variable is unknown, missing, malformed or contradicts another.
 * - `ERR_SECRET_UNAVAILABLE`: Secrets Manager did not return the secret (absent, not permitted, throttled, down).
 * - `ERR_PASSWORD_UNAVAILABLE`: the option `password` is a function that failed, or STS returned no token.
 * - `ERR_SECRET_INVALID`: the secret was read, but names no usable connection.
 * - `ERR_ROUTING`: the cluster identifier is missing, malformed, contradictory or unknown to CockroachDB Cloud.
 * - `ERR_TLS`: the server offers no TLS, or its certificate does not verify, or the root or client certificate is unusable.
 * - `ERR_AUTHENTICATION`: the server refused the user, password or client certificate.
 * - `ERR_CONNECT`: the server could not be reached, or did not finish the login in time.
 * - `ERR_SERVER_REFUSED`: the server was reached, but accepts no connection now (draining, limits, allowlist, throttle).
 * - `ERR_CONNECTION_LOST`: the connection was lost while a statement was under way.
 * - `ERR_DEADLINE`: the invocation's deadline is near; the statement was cancelled.
 * - `ERR_COMMIT_AMBIGUOUS`: the connection was lost during COMMIT; the transaction may have been committed.
 * - `ERR_TRANSACTION`: `transaction()` was misused, or the server rolled back what was to be committed.
 * - `ERR_CLIENT_NOT_RELEASED`: an earlier invocation took the last client and did not release it.
 * - `ERR_CLOSED`: the pool was closed.
 */
export type ConnectionErrorCode =
  | 'ERR_CONFIG'
  | 'ERR_SECRET_UNAVAILABLE'
  | 'ERR_PASSWORD_UNAVAILABLE'
  | 'ERR_SECRET_INVALID'
  | 'ERR_ROUTING'
  | 'ERR_TLS'
  | 'ERR_AUTHENTICATION'
  | 'ERR_CONNECT'
  | 'ERR_SERVER_REFUSED'
  | 'ERR_CONNECTION_LOST'
  | 'ERR_DEADLINE'
  | 'ERR_COMMIT_AMBIGUOUS'
  | 'ERR_TRANSACTION'
  | 'ERR_CLIENT_NOT_RELEASED'
  | 'ERR_CLOSED'

export interface ConnectionErrorOptions {
  /** What to change, in one sentence. */
  readonly hint?: string | undefined
  /** The original error. Never an error that holds a connection string or a password. */
  readonly cause?: unknown
  /** True when nothing can have reached the server, so that a repeat cannot take effect twice. */
  readonly safeToRetry?: boolean
}

/** Thrown for everything but the server's answer to a statement, which is pg's `DatabaseError`. */
export class ConnectionError extends Error {
  /** As it is known after minification too. */
  static override readonly name = 'ConnectionError'
  override readonly name = 'ConnectionError'
  /** What went wrong, for programs: `docs/errors.md` lists the codes. */
  readonly code: ConnectionErrorCode
  /** What to change, in one sentence. */
  readonly hint: string | undefined
  /** True when nothing can have reached the server, so that a repeat cannot take effect twice. */
  readonly safeToRetry: boolean

  constructor(code: ConnectionErrorCode, message: string, options: ConnectionErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.code = code
    this.hint = options.hint
    this.safeToRetry = options.safeToRetry ?? false
  }
}
