/** Every field, from every source: the same values are taken, and the same ones refused in the same words. */
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { Password } from '../../../src/base/password.ts'
import { CONNECTION_FIELDS, type ConnectionFields, type FieldName } from '../../../src/connection-string/fields.ts'
import { parseConnectionString } from '../../../src/connection-string/parse.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { readSettings } from '../../../src/settings/settings.ts'

const PASSWORD = 'Zq7kW2vN9x'
const CONNECTION_STRING = `postgresql://app:${PASSWORD}@db.example.com/orders`

interface Source {
  /** The fields that are read when this one field is set; undefined where the source cannot hold such a value. */
  readonly read: (name: FieldName, value: string) => ConnectionFields | undefined
  /** How a message names the value. */
  readonly place: (name: FieldName) => string
}

const DATABASE_URL = { code: 'ERR_CONFIG', name: 'DATABASE_URL' } as const
const SECRET = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' } as const
const WITH_SECRET = { COCKROACH_SECRET_ID: 'app/db' }
const isNumeric = (name: FieldName) => CONNECTION_FIELDS[name].isNumber === true

/** The field where a URL has it. */
function urlWith(name: FieldName, value: string): string | undefined {
  const encoded = encodeURIComponent(value)
  if (name === 'host') return `postgresql://${encoded}`
  if (name === 'dbname') return `postgresql:///${encoded}`
  if (name !== 'port') return `postgresql://?${name}=${encoded}`
  return /^\d+$/.test(value) ? `postgresql://:${value}` : undefined
}

const SOURCES: Readonly<Record<string, Source>> = {
  'a URL': {
    read(name, value) {
      const url = urlWith(name, value)
      return url === undefined ? undefined : parseConnectionString(url, DATABASE_URL).fields
    },
    place: (name) => `DATABASE_URL: ${name}`,
  },
  'keywords and values': {
    read: (name, value) => parseConnectionString(`${name}='${value.replace(/['\\]/g, '\\$&')}'`, DATABASE_URL).fields,
    place: (name) => `DATABASE_URL: ${name}`,
  },
  'a secret in JSON': {
    // Beside another field, since a secret with one key may hold all of it as JSON in that one.
    read: (name, value) => parseSecret(JSON.stringify({ port: 5433, [name]: value }), { origin: SECRET }).fields,
    place: (name) => `secret "app/db": ${name}`,
  },
  'an option': {
    read(name, value) {
      if (isNumeric(name) && !/^-?\d/.test(value)) return undefined
      const option = isNumeric(name) ? Number(value) : value
      return Number.isNaN(option) ? undefined : readSettings({ [name]: option }, WITH_SECRET).options
    },
    place: (name) => `option ${name}`,
  },
  'a variable': {
    read: (name, value) => readSettings({}, { ...WITH_SECRET, [CONNECTION_FIELDS[name].variable]: value }).environment,
    place: (name) => CONNECTION_FIELDS[name].variable,
  },
}

const GOOD: readonly [FieldName, string, unknown][] = [
  ['host', 'db.example.com', 'db.example.com'],
  ['host', '[::1]', '::1'],
  ['host', '/var/run/postgresql', '/var/run/postgresql'],
  ['port', '26257', 26257],
  ['dbname', 'cozy-otter-4821.defaultdb', 'cozy-otter-4821.defaultdb'],
  ['user', "o'hara@example.com", "o'hara@example.com"],
  ['password', CONNECTION_STRING, new Password(CONNECTION_STRING)],
  ['sslmode', 'VERIFY-FULL', 'verify-full'],
  ['sslmode', 'require', 'require'],
  ['sslrootcert', 'system', 'system'],
  ['sslrootcert', '~/my folder/root.crt', '~/my folder/root.crt'],
  ['sslrootcert', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END'],
  ['sslcert', '~/.postgresql/postgresql.crt', '~/.postgresql/postgresql.crt'],
  ['sslcert', '-----BEGIN CERTIFICATE-----\\nAAAA', '-----BEGIN CERTIFICATE-----\nAAAA'],
  ['sslkey', '/run/secrets/client.key', new Password('/run/secrets/client.key')],
  ['sslkey', '-----BEGIN PRIVATE KEY-----\nAAAA', new Password('-----BEGIN PRIVATE KEY-----\nAAAA')],
  ['channel_binding', 'require', 'require'],
  ['require_auth', 'md5, scram-sha-256', 'md5,scram-sha-256'],
  ['require_auth', '!password,!none', '!password,!none'],
  ['options', '-c search_path=a,b', '-c search_path=a,b'],
  ['application_name', 'https://example.com/orders', 'https://example.com/orders'],
  ['connect_timeout', '0', 0],
  ['connect_timeout', '3600', 3600],
  ['cluster', 'cozy-otter-4821', 'cozy-otter-4821'],
]

const IS_WHOLE: readonly [string, string][] = [
  [CONNECTION_STRING, 'is a URL'],
  [JSON.stringify({ username: 'app', password: PASSWORD }), 'is JSON'],
  [`host=db.example.com password=${PASSWORD}`, 'is a connection string'],
]
const NO_SERVER_ACCEPTS = 'has a character that no server accepts (NUL or half a surrogate pair)'
const SSLMODES = 'disable, allow, prefer, require, verify-ca, verify-full'

const BAD: readonly [FieldName, string, string][] = [
  ['host', CONNECTION_STRING, 'is a URL'],
  ['host', '<host>', 'still has a placeholder'],
  ['host', 'a.example.com,b.example.com', 'names several hosts'],
  ['host', `app:${PASSWORD}@db`, 'is not a host name, IP address or socket directory (17 characters)'],
  ['host', 'db\0.example.com', 'has a character that no host name has'],
  ['host', '[/tmp\nx]', 'is not a host name, IP address or socket directory (8 characters)'],
  ['port', PASSWORD, 'is not a number (10 characters)'],
  ['port', '$PORT', 'is still a placeholder'],
  ['port', '0', 'is 0; expected a whole number from 1 to 65535'],
  ['port', '65536', 'is 65536; expected a whole number from 1 to 65535'],
  ['port', '-1', 'is -1; expected a whole number from 1 to 65535'],
  ['port', '12345678901', 'is not a number (11 characters); expected a whole number from 1 to 65535'],
  ...(['dbname', 'user', 'sslrootcert', 'options', 'application_name', 'cluster'] as const).flatMap((name) =>
    IS_WHOLE.map(([value, found]): [FieldName, string, string] => [name, value, found]),
  ),
  ...(['dbname', 'user', 'sslrootcert', 'cluster'] as const).map((name): [FieldName, string, string] => [
    name,
    `https://app:${PASSWORD}@example.com`,
    'is a URL',
  ]),
  ...(['dbname', 'user', 'password', 'options', 'application_name', 'cluster'] as const).flatMap(
    (name): [FieldName, string, string][] => [
      [name, `${PASSWORD}\0`, NO_SERVER_ACCEPTS],
      [name, '<ENTER-VALUE>', 'is still a placeholder'],
    ],
  ),
  ['password', `CCDB1_${PASSWORD}`, 'is an API key of CockroachDB Cloud'],
  ['sslmode', 'no-verify', 'is no-verify, which would accept any server'],
  ['sslmode', 'verify_full', 'is "verify_full"; did you mean "verify-full"?'],
  ['sslmode', 'true', `is an unknown word of 4 characters; expected ${SSLMODES}`],
  ['sslmode', PASSWORD, `is an unknown word of 10 characters; expected ${SSLMODES}`],
  ['channel_binding', 'required', 'is "required"; did you mean "require"?'],
  ['channel_binding', PASSWORD, 'is an unknown word of 10 characters; expected disable, prefer, require'],
  ['require_auth', PASSWORD, 'is an unknown word of 10 characters; expected none, password, md5'],
  ['require_auth', `md5,${PASSWORD}`, 'is an unknown word of 10 characters'],
  ['require_auth', 'scram-sha256', 'is "scram-sha256"; did you mean "scram-sha-256"?'],
  ['require_auth', '!md5,password', 'is an unknown word of 12 characters'],
  ['require_auth', 'md5,!password', 'is "!password"; did you mean "password"?'],
  ['sslrootcert', `root.crt\n${PASSWORD}`, 'is neither a path, PEM text nor system (19 characters)'],
  ['sslrootcert', 'a'.repeat(5000), 'is neither a path, PEM text nor system (5000 characters)'],
  ['sslcert', `client.crt\n${PASSWORD}`, 'is neither a path nor PEM text (21 characters)'],
  ['sslkey', 'a'.repeat(5000), 'is neither a path nor PEM text (5000 characters)'],
  ['sslkey', CONNECTION_STRING, 'is a URL'],
  ['connect_timeout', '5s', 'is not a number (2 characters); expected a whole number from 0 to 3600'],
  ['connect_timeout', '3601', 'is 3601; expected a whole number from 0 to 3600'],
  ['connect_timeout', '1.5', 'is 1.5; expected a whole number from 0 to 3600'],
]

function refusalOf(read: () => unknown): ConnectionError | undefined {
  try {
    return read() === undefined ? undefined : expect.fail('the value was accepted')
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    return error
  }
}

describe.each(Object.entries(SOURCES))('in %s', (source, { read, place }) => {
  test.each(GOOD)('%s %j is read', (name, value, expected) => {
    const fields = read(name, value)
    const revealed = fields?.[name] instanceof Password ? fields[name].reveal() : fields?.[name]
    expect(revealed).toEqual(expected instanceof Password ? expected.reveal() : expected)
  })

  test.each(BAD)('%s %j is refused, and no secret is shown', (name, value, found) => {
    const refusal = refusalOf(() => read(name, value))
    if (refusal === undefined) return
    expect(refusal.code).toBe(source.includes('secret') ? 'ERR_SECRET_INVALID' : 'ERR_CONFIG')
    expect(refusal.message).toContain(`${place(name)} ${found}`)
    expect(refusal.hint).toMatch(/\S/)
    expect(inspect(refusal, { depth: Infinity, showHidden: true })).not.toContain(PASSWORD)
  })

  test.each(Object.keys(CONNECTION_FIELDS))('%s has a value that is refused in this table', (name) => {
    expect(BAD.some(([field, value]) => field === name && refusalOf(() => read(field, value)) !== undefined)).toBe(true)
  })
})

test('an option of the wrong kind is not shown either', () => {
  const options: object = { port: PASSWORD, user: [PASSWORD], connect_timeout: PASSWORD }
  expect(refusalOf(() => readSettings(options, WITH_SECRET))?.message).toBe(
    'option port is a string; expected a number; option user is a object; expected a string; ' +
      'option connect_timeout is a string; expected a number',
  )
})
