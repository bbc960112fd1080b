/** What makes the password of each new connection, where it is not a field of the connection. */
import type { ConnectionError } from '../base/connection-error.ts'
import type { Password } from '../base/password.ts'

export interface PasswordSource {
  /** How it logs in; refused logins are counted by this, since each may have another password. */
  readonly kind: 'function' | 'jwt'
  /** For a new connection to `host`. @throws ConnectionError `ERR_PASSWORD_UNAVAILABLE`, `ERR_CONFIG`, `ERR_DEADLINE` */
  readonly current: (host: string) => Promise<Password>
  /** For the same connection, after the server refused the one before; undefined when it would refuse any. */
  readonly renewed: (host: string, refusal: ConnectionError) => Promise<Password | undefined>
  /** The refusal with a better hint. */
  readonly explained: (host: string, refusal: ConnectionError) => Promise<ConnectionError>
}
