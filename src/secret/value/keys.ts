/** The keys under which secrets in JSON have a connection string or its fields. */
import { CONNECTION_FIELDS, FIELD_NAMES, type FieldName } from '../../connection-string/fields.ts'
import { findParameter } from '../../connection-string/parameters.ts'
import { isSpecificSetting } from '../../connection-string/server-settings.ts'

/** Compared without case, `_` and `-`, so that `DATABASE_URL` and `databaseUrl` are one. */
export function plainKey(key: string): string {
  return key.toLowerCase().replaceAll('_', '').replaceAll('-', '')
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

/** The field by its usual keys, plain: libpq's, its environment variables', RDS's, and common ones. */
const FIELDS: ReadonlyMap<string, FieldName> = new Map(
  FIELD_NAMES.flatMap((field) => {
    const { aliases = [], variable, secretKeys = [] } = CONNECTION_FIELDS[field]
    return [...[field, ...aliases, variable].map(plainKey), ...secretKeys].map((key) => [key, field] as const)
  }),
)

/** All of these keys, for finding a misspelt one. */
export const FIELD_KEYS: readonly string[] = [...FIELDS.keys()]

/** An empty one of these is refused; other empty fields count as absent. */
export const ESSENTIAL_FIELDS: readonly FieldName[] = ['host', 'user', 'password']

/** The field that a key stands for, in libpq's word. */
export function fieldOfKey(key: string): FieldName | undefined {
  return FIELDS.get(plainKey(key))
}

/** Names that only a connection to a database has; `PORT`, `USERNAME` or `SSL` may belong to anything. */
const SPECIFIC = /^(?:db|database|pg|postgres|cockroach).|^(?:sslmode|sslrootcert|channelbinding|requireauth)$/

/** True for a key that is read even beside a connection string. */
export function isSpecificKey(key: string): boolean {
  // `SSL_CERT` and `SSL_KEY` are those of a web server.
  if (/^ssl(?:cert|key)$/i.test(key)) return true
  if (fieldOfKey(key) !== undefined) return SPECIFIC.test(plainKey(key))
  return isSpecificSetting(key) || (findParameter(key) !== undefined && plainKey(key) !== 'ssl')
}

export function isConnectionStringKey(key: string): boolean {
  return CONNECTION_STRING_KEYS.includes(plainKey(key))
}
