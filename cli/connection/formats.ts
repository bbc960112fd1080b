/** Writes a connection as other programs read it. */

import { Password } from '../../src/base/password.ts'
import type { ConnectionParameters } from '../../src/connection/parameters.ts'
import { buildConnectionString } from '../../src/connection-string/parse.ts'
import { isCloudHost } from '../../src/routing/host.ts'
import { quoted } from '../text.ts'

/** What is written; `sslrootcert` is a path or `system`. */
export interface WrittenConnection {
  readonly parameters: ConnectionParameters
  readonly password: string | undefined
  readonly sslrootcert: string | undefined
  /** Paths; libpq takes nothing else. */
  readonly sslcert?: string | undefined
  readonly sslkey?: string | undefined
}

/** libpq's: in single quotes, with a backslash before a quote and a backslash. */
function quotedValue(value: string | number): string {
  const text = String(value)
  return /^[\w./:@%+,-]+$/.test(text) ? text : `'${text.replace(/['\\]/g, '\\$&')}'`
}

function uri({ parameters, password, sslrootcert, sslcert, sslkey }: WrittenConnection): string {
  const { cluster, fallback_application_name, ...fields } = parameters
  return buildConnectionString({
    ...fields,
    ...(password !== undefined && { password: new Password(password) }),
    ...(sslrootcert !== undefined && { sslrootcert }),
    ...(sslcert !== undefined && { sslcert }),
    ...(sslkey !== undefined && { sslkey: new Password(sslkey) }),
  })
}

/** libpq's keywords and values; the password is not among them. */
function keywords({
  parameters,
  sslrootcert,
  sslcert,
  sslkey,
}: WrittenConnection): readonly (readonly [string, string | number])[] {
  const { host, port, dbname, user, sslmode, options, application_name, connect_timeout } = parameters
  const certificates = { sslrootcert, sslcert, sslkey }
  const all = { host, port, dbname, user, sslmode, ...certificates, options, application_name, connect_timeout }
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
}

/** The variables of libpq. @see https://www.postgresql.org/docs/current/libpq-envars.html */
const VARIABLES: Readonly<Record<string, string>> = {
  host: 'PGHOST',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  connect_timeout: 'PGCONNECT_TIMEOUT',
}

/** Everything but the password. */
export function libpqVariables(written: WrittenConnection): Readonly<Record<string, string>> {
  return Object.fromEntries(keywords(written).map(([name, value]) => [VARIABLES[name] ?? name, String(value)]))
}

function jdbc(written: WrittenConnection): string {
  const { parameters, password } = written
  const { host, port, dbname } = parameters
  const names: Readonly<Record<string, string>> = {
    application_name: 'ApplicationName',
    connect_timeout: 'connectTimeout',
  }
  const others = keywords(written).filter(([name]) => !['host', 'port', 'dbname'].includes(name))
  const all = [...others, ...(password === undefined ? [] : [['password', password] as const])]
  const query = all.map(([name, value]) => `${names[name] ?? name}=${encodeURIComponent(value)}`).join('&')
  const server = host.includes(':') ? `[${host}]` : host
  return `jdbc:postgresql://${server}:${port}/${encodeURIComponent(dbname)}?${query}`
}

/** The password stands in front, as a variable: behind `psql` it would be in the process list. */
function psql(written: WrittenConnection): string {
  const string = keywords(written)
    .map(([name, value]) => `${name}=${quotedValue(value)}`)
    .join(' ')
  const { password } = written
  return `${password === undefined ? '' : `PGPASSWORD=${quoted(password)} `}psql ${quoted(string)}`
}

function env(written: WrittenConnection): string {
  const variables = {
    ...libpqVariables(written),
    ...(written.password !== undefined && { PGPASSWORD: written.password }),
  }
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${quoted(value)}`)
    .join('\n')
}

/** Prisma's own words for TLS; without `sslaccept=strict` it verifies nothing. @see https://www.prisma.io/docs/orm/overview/databases/postgresql */
function prisma(written: WrittenConnection): string {
  const [address = ''] = uri({ ...written, sslrootcert: undefined, sslcert: undefined, sslkey: undefined }).split('?')
  const { parameters, sslrootcert } = written
  if (parameters.sslmode === 'disable') return `DATABASE_URL="${address}?sslmode=disable"`
  const file = sslrootcert === undefined || sslrootcert === 'system' ? '' : `&sslcert=${encodeURI(sslrootcert)}`
  const options = parameters.options === undefined ? '' : `&options=${encodeURIComponent(parameters.options)}`
  return `DATABASE_URL="${address}?sslmode=require&sslaccept=strict${file}${options}"`
}

/** CockroachDB has a dialect of its own. @see https://github.com/cockroachdb/sqlalchemy-cockroachdb */
function sqlalchemy(written: WrittenConnection): string {
  const { host, cluster } = written.parameters
  const dialect = isCloudHost(host) || cluster !== undefined ? 'cockroachdb' : 'postgresql'
  return uri(written).replace(/^postgresql:/, `${dialect}+psycopg2:`)
}

export const FORMATS: ReadonlyMap<string, (written: WrittenConnection) => string> = new Map(
  Object.entries({ uri, jdbc, psql, env, prisma, sqlalchemy }),
)
