/** The table of the fields of a connection: every origin is read by it, whatever its names for them are. */
import { COCKROACH_CLUSTER } from '../base/environment-variables.ts'
import type { Password } from '../base/password.ts'
import type { Reader } from '../base/readers.ts'
import { type Origin, refuseTooLong } from '../base/refusal.ts'
import {
  readChannelBinding,
  readCluster,
  readConnectTimeout,
  readHost,
  readName,
  readPassword,
  readPort,
  readRequireAuth,
  readSslcert,
  readSslkey,
  readSslmode,
  readSslrootcert,
  readText,
  type SslMode,
} from './values.ts'

/**
 * What one origin (options, the secret, the environment) says about a connection, in libpq's words. All are optional:
 * origins are merged, `{ ...defaults, ...environment, ...secret, ...options }`. Absent keys are left out, never
 * `undefined`.
 */
export interface ConnectionFields {
  /** Host name, IP address, or the directory of a Unix socket (begins with `/`). */
  readonly host?: string
  /** TCP port, 1 to 65535. */
  readonly port?: number
  /** Database name, decoded; may have CockroachDB Cloud's `<cluster>.` in front. */
  readonly dbname?: string
  readonly user?: string
  readonly password?: Password
  /** libpq's word, in lower case, before it is raised to `verify-full`. */
  readonly sslmode?: SslMode
  /** A path, PEM text, or `system`. */
  readonly sslrootcert?: string
  /** The client certificate, with those between it and its root: a path, or PEM text. */
  readonly sslcert?: string
  /** Its private key: a path, or PEM text. */
  readonly sslkey?: Password
  /** Whether the login must be bound to the TLS connection; only `require` changes anything. */
  readonly channel_binding?: 'disable' | 'prefer' | 'require'
  /** The ways to log in that the server may ask for, as libpq lists them. */
  readonly require_auth?: string
  /** Command-line options for the server, as in PGOPTIONS. */
  readonly options?: string
  readonly application_name?: string
  /** Seconds. */
  readonly connect_timeout?: number
  /** CockroachDB Cloud's cluster identifier, `<name>-<tenant id>`. */
  readonly cluster?: string
}

/** The fields of one origin, and what was repaired, ignored or raised on the way, one sentence each. */
export interface ParsedFields {
  readonly fields: ConnectionFields
  readonly warnings: readonly string[]
}

export type FieldName = keyof ConnectionFields

/** How each origin names a field; its value is read alike in all. */
interface ConnectionField<Value> {
  readonly read: Reader<Value>
  /** True when the option of the field's name is a number, which a secret in JSON may hold as well. */
  readonly isNumber?: true
  /** The environment variable. */
  readonly variable: string
  /** Its other names as a parameter of a connection string, in lower case. */
  readonly aliases?: readonly string[]
  /** Further keys of a secret in JSON, beside name, aliases and variable: in lower case, without `_` and `-`. */
  readonly secretKeys?: readonly string[]
  /**
   * Its position in a URL: in front of the query, and never in it (`target`); in front of the `@`, or in the query
   * (`login`); in the query (`parameter`). `ours` is read from the query, but not written: libpq does not have it.
   */
  readonly inUrl: 'target' | 'login' | 'parameter' | 'ours'
}

type ConnectionFieldTable = {
  readonly [Name in FieldName]-?: ConnectionField<NonNullable<ConnectionFields[Name]>>
}

/** In the order in which a connection string is written. */
export const CONNECTION_FIELDS: ConnectionFieldTable = {
  host: {
    read: readHost,
    variable: 'PGHOST',
    inUrl: 'target',
    aliases: ['hostname'],
    secretKeys: ['endpoint', 'server', 'dbhost', 'databasehost', 'postgreshost'],
  },
  port: {
    read: readPort,
    isNumber: true,
    variable: 'PGPORT',
    inUrl: 'target',
    secretKeys: ['dbport', 'databaseport', 'postgresport'],
  },
  dbname: {
    read: readName,
    variable: 'PGDATABASE',
    inUrl: 'target',
    aliases: ['database'],
    secretKeys: ['databasename', 'db', 'postgresdb', 'postgresdatabase'],
  },
  user: {
    read: readName,
    variable: 'PGUSER',
    inUrl: 'login',
    aliases: ['username'],
    secretKeys: ['dbuser', 'dbusername', 'databaseuser', 'databaseusername', 'postgresuser'],
  },
  password: {
    read: readPassword,
    variable: 'PGPASSWORD',
    inUrl: 'login',
    secretKeys: ['pass', 'passwd', 'pwd', 'dbpass', 'dbpassword', 'databasepassword', 'postgrespassword'],
  },
  sslmode: { read: readSslmode, variable: 'PGSSLMODE', inUrl: 'parameter' },
  sslrootcert: {
    read: readSslrootcert,
    variable: 'PGSSLROOTCERT',
    inUrl: 'parameter',
    secretKeys: ['ca', 'cacert', 'sslca', 'rootcert', 'rootcertificate'],
  },
  sslcert: {
    read: readSslcert,
    variable: 'PGSSLCERT',
    inUrl: 'parameter',
    secretKeys: ['clientcert', 'clientcertificate'],
  },
  sslkey: {
    read: readSslkey,
    variable: 'PGSSLKEY',
    inUrl: 'parameter',
    secretKeys: ['clientkey', 'clientprivatekey'],
  },
  channel_binding: {
    read: readChannelBinding,
    variable: 'PGCHANNELBINDING',
    inUrl: 'parameter',
    aliases: ['channelbinding'],
  },
  require_auth: { read: readRequireAuth, variable: 'PGREQUIREAUTH', inUrl: 'parameter', aliases: ['requireauth'] },
  options: { read: readText, variable: 'PGOPTIONS', inUrl: 'parameter' },
  application_name: {
    read: readText,
    variable: 'PGAPPNAME',
    inUrl: 'parameter',
    aliases: ['applicationname'],
    secretKeys: ['appname'],
  },
  connect_timeout: {
    read: readConnectTimeout,
    isNumber: true,
    variable: 'PGCONNECT_TIMEOUT',
    inUrl: 'parameter',
    aliases: ['connecttimeout'],
  },
  cluster: {
    read: readCluster,
    variable: COCKROACH_CLUSTER,
    inUrl: 'ours',
    secretKeys: ['clusteridentifier', 'routingid'],
  },
}

function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(CONNECTION_FIELDS, name)
}

export const FIELD_NAMES: readonly FieldName[] = Object.keys(CONNECTION_FIELDS).filter(isFieldName)

/** Reads one field, whatever its origin is. */
export function readField(name: FieldName, text: string, origin: Origin): ConnectionFields {
  refuseTooLong(text, origin)
  return { [name]: CONNECTION_FIELDS[name].read(text, origin) }
}
