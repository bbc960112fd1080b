/** The keys under which secrets in JSON keep a connection string or its fields. */
import type { ConnectionFields } from '../../connection-string/fields.ts'

/** Compared without case, `_` and `-`, so that `DATABASE_URL` and `databaseUrl` are one. */
export function plainKey(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '')
}

/** Usual keys of a whole connection string, plain. */
const CONNECTION_STRING_KEYS: readonly string[] = [
  'databaseurl',
  'databaseuri',
  'connectionstring',
  'connectionurl',
  'connectionuri',
  'connstring',
  'connstr',
  'url',
  'uri',
  'dsn',
  'dburl',
  'dburi',
  'dbconnectionstring',
  'databaseconnectionstring',
  'jdbcurl',
  'pgurl',
  'postgresurl',
  'postgresqlurl',
  'cockroachurl',
  'cockroachdburl',
  'crdburl',
  'sqlalchemydatabaseuri',
]

/** Usual keys of each field, plain: RDS's, libpq's, its environment variables', and common ones. */
export const FIELD_KEYS: Readonly<Record<keyof ConnectionFields, readonly string[]>> = {
  host: ['host', 'hostname', 'endpoint', 'server', 'dbhost', 'databasehost', 'pghost', 'postgreshost'],
  port: ['port', 'dbport', 'databaseport', 'pgport', 'postgresport'],
  dbname: ['dbname', 'database', 'databasename', 'db', 'pgdatabase', 'postgresdb', 'postgresdatabase'],
  user: ['user', 'username', 'dbuser', 'dbusername', 'databaseuser', 'databaseusername', 'pguser', 'postgresuser'],
  password: [
    'password',
    'pass',
    'passwd',
    'pwd',
    'dbpass',
    'dbpassword',
    'databasepassword',
    'pgpassword',
    'postgrespassword',
  ],
  sslmode: ['sslmode', 'pgsslmode'],
  sslrootcert: ['sslrootcert', 'ca', 'cacert', 'sslca', 'rootcert', 'rootcertificate', 'pgsslrootcert'],
  options: ['options', 'pgoptions'],
  application_name: ['applicationname', 'appname', 'pgappname'],
  connect_timeout: ['connecttimeout', 'pgconnecttimeout'],
  cluster: ['cluster', 'clusteridentifier', 'cockroachcluster', 'routingid'],
}

/** Without these a secret is half-filled: an empty one is refused, others count as absent. */
export const ESSENTIAL_FIELDS: readonly string[] = ['host', 'user', 'password']

const FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries(FIELD_KEYS).flatMap(([field, keys]) => keys.map((key) => [key, field] as const)),
)

/** The field that a key stands for, in libpq's word. */
export function fieldOfKey(key: string): string | undefined {
  return FIELDS.get(plainKey(key))
}

export function isConnectionStringKey(key: string): boolean {
  return CONNECTION_STRING_KEYS.includes(plainKey(key))
}

/** A key for a message, if it can be one; anything else is only measured. */
export function printableKey(key: string): string {
  return /^[a-z_][a-z0-9_.-]{0,39}$/i.test(key) ? `"${key}"` : `(${key.length} characters)`
}
