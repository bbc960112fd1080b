/** Merges options, secret and environment into complete connection parameters. */
import { ConnectionError } from '../base/connection-error.ts'
import type { Password } from '../base/password.ts'
import { refusal } from '../base/refusal.ts'
import type { ConnectionFields } from '../connection-string/fields.ts'
import type { ClusterRouting } from '../routing/cluster-routing.ts'
import { isCloudHost } from '../routing/host.ts'
import { defaultDbname, defaultPort, routeToCluster } from '../routing/routing.ts'
import type { Settings } from '../settings/settings.ts'
import type { ClientCertificateSetting } from './client-certificate.ts'
import type { RootCertificateSetting } from './root-certificate.ts'
import { requireVerifyFull } from './tls.ts'

/** Ready to connect with: routed, and never less than verify-full across a network. */
export interface ConnectionParameters {
  readonly host: string
  readonly port: number
  /** As it is sent: with the cluster identifier in front, if the routing puts it there. */
  readonly dbname: string
  readonly user: string
  readonly sslmode: 'verify-full' | 'disable'
  /** The password is a token: it is only sent where the server asks for a password in clear text, inside TLS. */
  readonly auth?: 'jwt'
  readonly channel_binding?: 'disable' | 'prefer' | 'require'
  readonly require_auth?: string
  readonly options?: string
  readonly application_name?: string
  /** The session's name when no setting has one: the function's. */
  readonly fallback_application_name?: string
  /** Seconds; 0 and absent mean the default. */
  readonly connect_timeout?: number
  /** CockroachDB Cloud's cluster identifier, if the connection is routed. */
  readonly cluster?: string
}

export interface MergedParameters {
  readonly parameters: ConnectionParameters
  readonly password: Password | undefined
  readonly sslrootcert: RootCertificateSetting | undefined
  /** Empty without TLS. */
  readonly clientCertificate: ClientCertificateSetting
  readonly warnings: readonly string[]
}

function incomplete(missing: readonly string[], settings: Settings, notes: readonly string[]): ConnectionError {
  const names = missing.join(' and ')
  if (settings.secretId === undefined) {
    return new ConnectionError('ERR_CONFIG', `the connection has no ${names}`, {
      hint: 'Put it into DATABASE_URL, or set PGHOST, PGUSER and PGDATABASE.',
      safeToRetry: true,
    })
  }
  return new ConnectionError(
    'ERR_SECRET_INVALID',
    `secret "${settings.secretId}" holds no ${names}, and neither do options and environment${notes.map((note) => `; ${note}`).join('')}`,
    {
      hint: 'Store a connection string, or JSON with host, username, password and dbname.',
      safeToRetry: true,
    },
  )
}

/** A certificate or a key, from the first origin that has it. */
function firstOf<Name extends 'sslrootcert' | 'sslcert' | 'sslkey', Variable extends string>(
  name: Name,
  variable: Variable,
  { options, environment }: Settings,
  secret: ConnectionFields,
) {
  const origins = [
    [options, 'option'],
    [secret, 'secret'],
    [environment, variable],
  ] as const
  for (const [{ [name]: value }, origin] of origins) if (value !== undefined) return { value, origin }
  return undefined
}

/** One origin may name a host of CockroachDB Cloud, and another the port of RDS's template. */
function checkPort(host: string, port: number | undefined, settings: Settings, secret: ConnectionFields): void {
  if (port !== 5432 || !isCloudHost(host)) return
  const isOfSecret = settings.options.port === undefined && secret.port !== undefined
  throw refusal(
    isOfSecret
      ? { code: 'ERR_SECRET_INVALID', name: `secret "${settings.secretId}"` }
      : { code: 'ERR_CONFIG', name: settings.options.port === undefined ? 'the environment' : 'the options' },
    'port is 5432, but hosts of CockroachDB Cloud listen on 26257',
    'Set the port to 26257, or leave it out.',
  )
}

function route(
  fields: ConnectionFields & { host: string; dbname: string },
  clusterRouting: ClusterRouting,
): Pick<ConnectionParameters, 'dbname' | 'options' | 'cluster'> {
  const { host, dbname, options, cluster } = fields
  return routeToCluster(
    { host, dbname, ...(options !== undefined && { options }), ...(cluster !== undefined && { cluster }) },
    clusterRouting,
  )
}

/** What has CockroachDB take the password for a token. @see https://www.cockroachlabs.com/docs/stable/sso-sql */
const TOKEN_FLAG = '--crdb:jwt_auth_enabled=true'

function tokenLogin({ options = '' }: Pick<ConnectionParameters, 'options'>) {
  return { auth: 'jwt', options: options.includes(TOKEN_FLAG) ? options : `${options} ${TOKEN_FLAG}`.trim() } as const
}

/**
 * Options have precedence over the secret, the secret over the environment, the environment over defaults.
 *
 * @param notes what was ignored in the secret, which may be what is missing, misspelt
 * @throws ConnectionError `ERR_SECRET_INVALID` or `ERR_CONFIG` when something is missing, `ERR_ROUTING`, `ERR_TLS`.
 */
export function mergeParameters(
  settings: Settings,
  secret: ConnectionFields,
  notes: readonly string[] = [],
): MergedParameters {
  const fields: ConnectionFields = { ...settings.environment, ...secret, ...settings.options }
  const { host, user, password, application_name, connect_timeout, channel_binding, require_auth } = fields
  const fallback_application_name = settings.platform.functionName
  const isSocket = host?.startsWith('/') ?? false
  const isStored = settings.auth === 'password' && settings.passwordFunction === undefined
  const hasCertificate = fields.sslcert !== undefined || fields.sslkey !== undefined
  const needsPassword = !isSocket && settings.secretId !== undefined && isStored && !hasCertificate
  const missing = [
    ...(host === undefined ? ['host'] : []),
    ...(user === undefined ? ['user'] : []),
    ...(password === undefined && needsPassword ? ['password'] : []),
  ]
  if (host === undefined || user === undefined || missing.length > 0) throw incomplete(missing, settings, notes)

  checkPort(host, fields.port, settings, secret)
  const dbname = fields.dbname ?? defaultDbname(host, fields.cluster) ?? user
  const tls = requireVerifyFull(fields.sslmode, host)
  const routed = route({ ...fields, host, dbname }, settings.clusterRouting)
  return {
    parameters: {
      host,
      port: fields.port ?? defaultPort(host, fields.cluster),
      user,
      ...routed,
      ...(settings.auth === 'jwt' && tokenLogin(routed)),
      sslmode: tls.sslmode,
      ...(channel_binding !== undefined && { channel_binding }),
      ...(require_auth !== undefined && { require_auth }),
      ...(application_name !== undefined && { application_name }),
      ...(fallback_application_name !== undefined && { fallback_application_name }),
      ...(connect_timeout !== undefined && { connect_timeout }),
    },
    password,
    sslrootcert: firstOf('sslrootcert', 'PGSSLROOTCERT', settings, secret),
    clientCertificate:
      tls.sslmode === 'disable'
        ? {}
        : {
            sslcert: firstOf('sslcert', 'PGSSLCERT', settings, secret),
            sslkey: firstOf('sslkey', 'PGSSLKEY', settings, secret),
          },
    warnings: tls.warnings,
  }
}
