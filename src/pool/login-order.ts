/** What a server may ask for in a login, and in which order. pg answers in any, and takes a login that is half done. */
import { ConnectionError } from '../base/connection-error.ts'
import type { ConnectionParameters } from '../connection/parameters.ts'
import { clearTextRefusal } from '../connection/tls.ts'
import { ProtocolError } from './protocol-error.ts'

export type LoginRequirements = Pick<ConnectionParameters, 'auth' | 'channel_binding' | 'require_auth'>

const OK = 0
const CLEARTEXT_PASSWORD = 3
const MD5_PASSWORD = 5
const SASL = 10
const SASL_CONTINUE = 11
const SASL_FINAL = 12

const FIRST: readonly number[] = [OK, CLEARTEXT_PASSWORD, MD5_PASSWORD, SASL]
/**
 * What may follow: SCRAM is over when the server has proved that it knows the password.
 *
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 */
const NEXT: ReadonlyMap<number, readonly number[]> = new Map([
  [OK, []],
  [CLEARTEXT_PASSWORD, [OK]],
  [MD5_PASSWORD, [OK]],
  [SASL, [SASL_CONTINUE]],
  [SASL_CONTINUE, [SASL_FINAL]],
  [SASL_FINAL, [OK]],
])

/** As `require_auth` has them, and those that pg does not know. */
const METHODS: ReadonlyMap<number, string> = new Map([
  [OK, 'none'],
  [CLEARTEXT_PASSWORD, 'password'],
  [MD5_PASSWORD, 'md5'],
  [SASL, 'scram-sha-256'],
  [2, 'Kerberos'],
  [7, 'GSSAPI'],
  [9, 'SSPI'],
])

/** Types that may come before the login is over: an error, a notice, and a request. */
const BEFORE_OK = 'ENR'
/** Types that may come then, until the server is ready. */
const BEFORE_READY = 'ENSKAZ'

export class LoginOrder {
  readonly #isEncrypted: boolean
  readonly #requirements: LoginRequirements
  #expected = FIRST
  #isReady = false

  constructor(isEncrypted: boolean, requirements: LoginRequirements) {
    this.#isEncrypted = isEncrypted
    this.#requirements = requirements
  }

  /** True when a message of this type may come now. */
  admits(type: string): boolean {
    if (this.#isReady) return type !== 'R'
    return (this.#expected.length > 0 ? BEFORE_OK : BEFORE_READY).includes(type)
  }

  /** ReadyForQuery came. */
  finish(): void {
    this.#isReady = true
  }

  /**
   * An authentication request came, with data behind its number.
   *
   * @throws ProtocolError when it is none that can be answered now.
   * @throws ConnectionError `ERR_CONNECT` when it is forbidden, `ERR_TLS` when it would have the password read on its way.
   */
  authenticate(request: number, data: string): void {
    const next = NEXT.get(request)
    const method = METHODS.get(request) ?? `method ${request}`
    if (next === undefined)
      throw new ProtocolError(`the server asks for authentication by ${method}, which is not supported`)
    if (!this.#expected.includes(request) || (request === MD5_PASSWORD && data.length < 4)) {
      throw new ProtocolError(
        request === OK
          ? 'the server ends the login without the proof that it knows the password (SCRAM)'
          : `the server sends authentication request ${request} where it does not belong`,
      )
    }
    if (this.#expected === FIRST) this.#require(method, data)
    this.#expected = next
  }

  /** @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH */
  #require(method: string, data: string): void {
    const { auth, channel_binding, require_auth } = this.#requirements
    const methods = require_auth?.split(',')
    const isForbidden = require_auth?.startsWith('!')
      ? methods?.includes(`!${method}`)
      : methods?.includes(method) === false
    if (auth === 'jwt' && method !== 'password') {
      throw new ConnectionError('ERR_CONNECT', `the server asks for a login by ${method}, and not for the token`, {
        hint: 'Is it CockroachDB, with server.jwt_authentication.enabled?',
        safeToRetry: true,
      })
    }
    if (isForbidden || (channel_binding === 'require' && !data.includes('SCRAM-SHA-256-PLUS'))) {
      throw new ConnectionError('ERR_CONNECT', `require_auth or channel_binding forbids a login by ${method}`, {
        hint: 'Is this the right server?',
        safeToRetry: true,
      })
    }
    if (method === 'password' && !this.#isEncrypted) throw clearTextRefusal('the server', 'the password')
  }
}
