/** Writes connection strings that libpq, psycopg and node-postgres all read alike. */
import { isIPv6 } from 'node:net'
import { ConnectionError } from '../base/connection-error.ts'
import { Password } from '../base/password.ts'
import { CONNECTION_FIELDS, type ConnectionFields, FIELD_NAMES } from './fields.ts'
import { isSendable } from './values.ts'

/** The form that is written, for hints. */
export const CONNECTION_STRING_FORM = 'postgresql://<user>:<password>@<host>:<port>/<database>?sslmode=verify-full'

/** Everything but the unreserved characters of RFC 3986; also quotes and parentheses, which a shell would read. */
function encode(name: string, text: string): string {
  if (!isSendable(text)) {
    throw new ConnectionError('ERR_CONFIG', `${name} has a character that no connection string can have`, {
      hint: `Write ${name} without NUL characters and halves of surrogate pairs.`,
    })
  }
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** node-postgres decodes the path with `decodeURI`, which leaves these encoded; unencoded, every client reads them alike. */
function encodePath(dbname: string): string {
  return encode('dbname', dbname).replace(/%(?:2F|3A|3B|26|3D|2B|24|2C)/g, decodeURIComponent)
}

/** A slash in a value needs no encoding, and paths stay readable. */
function encodeValue(name: string, text: string): string {
  return encode(name, text).replaceAll('%2F', '/')
}

function encodeHost(host: string): string {
  const [address = ''] = host.split('%')
  return isIPv6(address) ? `[${host.replace('%', '%25')}]` : encode('host', host)
}

const PARAMETERS = FIELD_NAMES.filter((name) => CONNECTION_FIELDS[name].inUrl === 'parameter')

/**
 * The connection string of these fields, with the password in it: never log it.
 *
 * `postgresql://app:p%40ss@cozy-otter-4821.7tt.…cockroachlabs.cloud:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=/opt/certs/root.crt`
 */
export function buildConnectionString(
  fields: ConnectionFields & { host: string; user: string; dbname: string },
): string {
  const { host, port, user, password, dbname } = fields
  const userinfo = [user, password?.reveal() ?? ''].map((part) => encode('user or password', part))
  const login = userinfo[1] === '' ? userinfo[0] : userinfo.join(':')
  const server = `${encodeHost(host)}${port === undefined ? '' : `:${port}`}`
  const query = PARAMETERS.flatMap((name) => {
    const value = fields[name]
    return value === undefined
      ? []
      : [`${name}=${encodeValue(name, value instanceof Password ? value.reveal() : String(value))}`]
  })
  return `postgresql://${login}@${server}/${encodePath(dbname)}${query.length === 0 ? '' : `?${query.join('&')}`}`
}
