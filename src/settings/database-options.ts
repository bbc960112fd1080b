/** The options of `createDatabase()` and `withDatabase()`, and the check that catches a misspelt one. */

import * as variable from '../base/environment-variables.ts'
import { nearest } from '../base/nearest.ts'
import type { ClusterRouting } from '../routing/routing.ts'
import type { Problems } from './problems.ts'

export const MAX_PORT = 65_535

/** Everything that can be set in code; each has an environment variable or a place in the secret as well. */
export interface DatabaseOptions {
  /** Name or ARN of the secret in Secrets Manager. @default COCKROACH_SECRET_ID */
  readonly secretId?: string
  /** The key of a JSON secret that holds the connection string. @default COCKROACH_SECRET_KEY, else the usual keys */
  readonly secretKey?: string
  /** How old the secret may be when a new connection is opened, in seconds. @default COCKROACH_SECRET_TTL_SECONDS, else 300 */
  readonly secretTtlSeconds?: number
  /** A connection string in place of a secret: local development. @default DATABASE_URL when there is no secret id */
  readonly connectionString?: string
  /** Host name, IP address or Unix socket directory. @default the secret, else PGHOST */
  readonly host?: string
  /** TCP port. @default the secret, else PGPORT, else 26257 for CockroachDB Cloud and 5432 for others */
  readonly port?: number
  /** Database name. @default the secret, else PGDATABASE, else `defaultdb` for CockroachDB Cloud and the user's name for others */
  readonly dbname?: string
  /** @default the secret, else PGUSER */
  readonly user?: string
  /** @default the secret, else PGPASSWORD */
  readonly password?: string
  /** libpq's word; all but `disable` mean verify-full here. @default verify-full */
  readonly sslmode?: string
  /** The root certificate: a path, PEM text, or `system` for Node's own roots. @default the secret, else PGSSLROOTCERT, else the layer's */
  readonly sslrootcert?: string
  /** Command-line options for the server. @default the secret, else PGOPTIONS */
  readonly options?: string
  /** @default the secret, else PGAPPNAME, else the function's name */
  readonly application_name?: string
  /** How long connecting may take, in seconds, 5 at most inside an invocation. @default the secret, else PGCONNECT_TIMEOUT, else 5 */
  readonly connect_timeout?: number
  /** CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`. @default from the host's name, else COCKROACH_CLUSTER */
  readonly cluster?: string
  /** Where the cluster identifier is sent. @default COCKROACH_CLUSTER_ROUTING, else `database` */
  readonly clusterRouting?: ClusterRouting
  /** Connections per execution environment. @default COCKROACH_MAX_CONNECTIONS, else 1, else a share of AWS_LAMBDA_MAX_CONCURRENCY */
  readonly max?: number
  /** Close the sessions on SIGTERM, by registering an internal extension. @default COCKROACH_GRACEFUL_SHUTDOWN, else false */
  readonly gracefulShutdown?: boolean
  /** Milliseconds kept free before the invocation's deadline, for cancelling and answering. @default COCKROACH_DEADLINE_MARGIN_MS, else 500 */
  readonly deadlineMarginMs?: number
}

/** Every option, with the kind of value it takes. */
const OPTION_KINDS: Readonly<Record<keyof DatabaseOptions, 'string' | 'number' | 'boolean'>> = {
  secretId: 'string',
  secretKey: 'string',
  secretTtlSeconds: 'number',
  connectionString: 'string',
  host: 'string',
  port: 'number',
  dbname: 'string',
  user: 'string',
  password: 'string',
  sslmode: 'string',
  sslrootcert: 'string',
  options: 'string',
  application_name: 'string',
  connect_timeout: 'number',
  cluster: 'string',
  clusterRouting: 'string',
  max: 'number',
  gracefulShutdown: 'boolean',
  deadlineMarginMs: 'number',
}

/** Empty, these would quietly lead to another database than the one that was meant. */
const NEVER_EMPTY = new Map([
  ['secretId', variable.COCKROACH_SECRET_ID],
  ['secretKey', variable.COCKROACH_SECRET_KEY],
])

/** Unknown names, wrong kinds and numbers out of range. */
export function checkOptions(options: DatabaseOptions, problems: Problems): void {
  if (typeof options !== 'object' || options === null) {
    // A connection string, most likely: not quoted.
    problems.add(`the options are a ${options === null ? 'null' : typeof options}; expected an object`)
    problems.throwIfAny()
  }
  const known = Object.keys(OPTION_KINDS)
  for (const [name, value] of Object.entries(options)) {
    const kind = known.includes(name) ? OPTION_KINDS[name as keyof DatabaseOptions] : undefined
    const choosesDatabase = name === 'secretId' || name === 'connectionString'
    if (value === undefined && choosesDatabase) {
      problems.add(`option ${name} is undefined; leave it out to take the environment's`)
    } else if (kind === undefined) {
      problems.add(`unknown option "${name}"; did you mean "${nearest(name, known)}"?`)
    } else if (value !== undefined && typeof value !== kind) {
      problems.add(`option ${name} is a ${value === null ? 'null' : typeof value}; expected a ${kind}`)
    } else if (value === '' && NEVER_EMPTY.has(name)) {
      problems.add(`option ${name} is empty; leave it out to take ${NEVER_EMPTY.get(name)}`)
    }
  }
  checkRange('port', options.port, { min: 1, max: MAX_PORT }, problems)
  checkRange('max', options.max, { min: 1, max: 1000 }, problems)
  checkRange('secretTtlSeconds', options.secretTtlSeconds, { min: 0, max: 86_400 }, problems)
  checkRange('connect_timeout', options.connect_timeout, { min: 0, max: 3600 }, problems)
  checkRange('deadlineMarginMs', options.deadlineMarginMs, { min: 100, max: 60_000 }, problems)
}

function checkRange(name: string, value: unknown, range: { min: number; max: number }, problems: Problems): void {
  if (typeof value !== 'number') return
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return
  problems.add(`option ${name} is ${value}; expected a whole number from ${range.min} to ${range.max}`)
}
