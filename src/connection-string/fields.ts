/** What one source (an option, the secret, the environment) says about a connection, in libpq's words. */
import type { Password } from '../base/password.ts'

/** All optional: sources are merged, `{ ...defaults, ...environment, ...secret, ...options }`. Absent keys are left out, never `undefined`. */
export interface ConnectionFields {
  /** Host name, IP address, or the directory of a Unix socket (begins with `/`). */
  readonly host?: string
  /** TCP port, 1 to 65535. */
  readonly port?: number
  /** Database name, decoded; may carry CockroachDB Cloud's `<cluster>.` in front. */
  readonly dbname?: string
  readonly user?: string
  readonly password?: Password
  /** libpq's word as it was found: `disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`. */
  readonly sslmode?: string
  /** A path, PEM text, or `system`. */
  readonly sslrootcert?: string
  /** Command-line options for the server, as in PGOPTIONS. */
  readonly options?: string
  readonly application_name?: string
  /** Seconds. */
  readonly connect_timeout?: number
  /** CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`. */
  readonly cluster?: string
}

/** The fields of a source, and what was repaired, ignored or raised on the way, one sentence each. */
export interface ParsedFields {
  readonly fields: ConnectionFields
  readonly warnings: readonly string[]
}
