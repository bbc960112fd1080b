/** The options of `createDatabase()` and `withDatabase()`. */
import type { SslMode } from '../connection-string/values.ts'
import type { ClusterRouting } from '../routing/cluster-routing.ts'
import type { PoolOptions } from './pool-options.ts'

/** Returns the password for one new connection: a token that lives minutes, most often. */
export type PasswordFunction = () => string | Promise<string>

/** Everything that can be set in code; each but `pg` and those of pg's pool is an environment variable or a field of the secret too. */
export interface DatabaseOptions extends PoolOptions {
  /** Name or ARN of the secret in Secrets Manager. @default COCKROACH_SECRET_ID */
  readonly secretId?: string
  /** The key of a JSON secret that holds the connection string. @default COCKROACH_SECRET_KEY, else the usual keys */
  readonly secretKey?: string
  /** How old the secret may be when a new connection is opened, in seconds. @default COCKROACH_SECRET_TTL_SECONDS, else 300 */
  readonly secretTtlSeconds?: number
  /** A connection string instead of a secret: local development. @default DATABASE_URL when there is no secret id */
  readonly connectionString?: string
  /** Host name, IP address or Unix socket directory. @default the secret, else PGHOST */
  readonly host?: string
  /** TCP port. @default the secret, else PGPORT, else 26257 for CockroachDB Cloud and 5432 for others */
  readonly port?: number
  /** Database name. @default the secret, else PGDATABASE, else `defaultdb` for CockroachDB Cloud and the user's name for others */
  readonly dbname?: string
  /** The SQL user. @default the secret, else PGUSER */
  readonly user?: string
  /**
   * The SQL user's password, as it is: nothing in it is decoded. Or a function that returns it, called whenever a
   * connection is opened, while TCP and TLS are. @default the secret, else PGPASSWORD
   */
  readonly password?: string | PasswordFunction
  /**
   * `jwt`: no password; the function's role gets a token from STS (`GetWebIdentityToken`), and logs in with CockroachDB's
   * JWT authentication. @default COCKROACH_AUTH, else `password`
   */
  readonly auth?: 'password' | 'jwt'
  /** The audience of that token: one that the cluster accepts. @default COCKROACH_JWT_AUDIENCE, else the host's name */
  readonly jwtAudience?: string
  /** libpq's word; all but `disable` mean verify-full here. @default verify-full */
  readonly sslmode?: SslMode
  /** The root certificate: a path, PEM text, or `system` for Node's own roots. @default the secret, else PGSSLROOTCERT, else the layer's */
  readonly sslrootcert?: string
  /** The client certificate, with those between it and its root: a path, or PEM text. @default the secret, else PGSSLCERT, else none */
  readonly sslcert?: string
  /** The private key of `sslcert`, not encrypted: a path, or PEM text. @default the secret, else PGSSLKEY */
  readonly sslkey?: string
  /** `require`: the login must be bound to the TLS connection (SCRAM-SHA-256-PLUS). @default the secret, else PGCHANNELBINDING */
  readonly channel_binding?: string
  /** The ways to log in that the server may ask for, in libpq's words: `scram-sha-256`. @default the secret, else PGREQUIREAUTH, else any */
  readonly require_auth?: string
  /** Command-line options for the server. @default the secret, else PGOPTIONS */
  readonly options?: string
  /** What the server lists the session under. @default the secret, else PGAPPNAME, else the function's name */
  readonly application_name?: string
  /** How long one attempt to connect may last, in seconds; all attempts together last 5 s at most. @default the secret, else PGCONNECT_TIMEOUT, else 5 */
  readonly connect_timeout?: number
  /** CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`. @default from the host's name, else COCKROACH_CLUSTER */
  readonly cluster?: string
  /** Where the cluster identifier is sent. @default COCKROACH_CLUSTER_ROUTING, else `database` */
  readonly clusterRouting?: ClusterRouting
  /**
   * The function's own `pg`, where a bundler has put it into the function: the pool is built on it, so that ORMs,
   * `instanceof`, type parsers and tracers see one pg. @default what `require('pg')` finds beside the function's code, else the layer's
   */
  readonly pg?: object
  /** Connections per execution environment. @default COCKROACH_MAX_CONNECTIONS, else 1, else a share of AWS_LAMBDA_MAX_CONCURRENCY */
  readonly max?: number
  /** Terminate the sessions on SIGTERM, by registering an internal extension. @default COCKROACH_GRACEFUL_SHUTDOWN, else false */
  readonly gracefulShutdown?: boolean
  /** Milliseconds kept free before the invocation's deadline, for cancelling and answering. @default COCKROACH_DEADLINE_MARGIN_MS, else 500 */
  readonly deadlineMarginMs?: number
  /** `emf` writes CloudWatch metrics to stdout, for the whole process. @default COCKROACH_METRICS, else `off` */
  readonly metrics?: 'emf' | 'off'
  /** How long `ready()` waits, in milliseconds; 0 for not at all. @default COCKROACH_READY_TIMEOUT_MS, else 3000 */
  readonly readyTimeoutMs?: number
}
