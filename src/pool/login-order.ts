/** The order in which a server may send the messages of a login. pg takes them in any, and goes on after a half one. */
import { ConnectionError } from '../base/connection-error.ts'
import { ProtocolError } from './protocol-error.ts'

const OK = 0
const CLEARTEXT_PASSWORD = 3

/**
 * What may follow each authentication request: SCRAM is over when the server has proved that it knows the password.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP
 * @see https://www.postgresql.org/docs/current/sasl-authentication.html
 */
const NEXT: ReadonlyMap<number, readonly number[]> = new Map([
  [OK, []],
  [CLEARTEXT_PASSWORD, [OK]],
  // MD5Password
  [5, [OK]],
  // SASL, SASLContinue, SASLFinal
  [10, [11]],
  [11, [12]],
  [12, [OK]],
])
/** By length of the message, which pg relies on. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [OK, 8],
  [CLEARTEXT_PASSWORD, 8],
  [5, 12],
])

const UNSUPPORTED: ReadonlyMap<number, string> = new Map([
  [2, 'Kerberos'],
  [7, 'GSSAPI'],
  [9, 'SSPI'],
])

/** Error, notice and authentication request, which may come first. */
const BEFORE_OK = 'ENR'
/** What the server says of itself and the session, until it is ready. */
const BEFORE_READY = 'ENSKAZ'

export class LoginOrder {
  readonly #isEncrypted: boolean
  #expected: readonly number[] = [OK, CLEARTEXT_PASSWORD, 5, 10]
  #isReady = false

  constructor(isEncrypted: boolean) {
    this.#isEncrypted = isEncrypted
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
   * An authentication request came, with this many bytes.
   *
   * @throws ProtocolError when it is not one that can be answered now.
   * @throws ConnectionError `ERR_TLS` when it asks for the password where it would be read on its way.
   */
  authenticate(request: number, length: number): void {
    const next = NEXT.get(request)
    if (next === undefined) {
      const method = UNSUPPORTED.get(request) ?? `method ${request}`
      throw new ProtocolError(`the server asks for authentication by ${method}, which is not supported`)
    }
    if (request === CLEARTEXT_PASSWORD && !this.#isEncrypted) {
      throw new ConnectionError('ERR_TLS', 'the server asks for the password in clear text, without TLS', {
        hint: 'Set sslmode=verify-full, or have the server ask for scram-sha-256.',
        safeToRetry: true,
      })
    }
    if (request === OK && this.#expected[0] !== OK)
      throw new ProtocolError('the server ends the login without the proof that it knows the password (SCRAM)')
    if (!this.#expected.includes(request) || length !== (LENGTHS.get(request) ?? length))
      throw new ProtocolError(`the server sends authentication request ${request} where it does not belong`)
    this.#expected = next
  }
}
