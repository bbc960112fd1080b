import { inspect } from 'node:util'
import fc from 'fast-check'
import { parse as parseAsPg } from 'pg-connection-string'
import { describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { Password } from '../../../src/base/password.ts'
import type { Origin } from '../../../src/base/refusal.ts'
import type { ConnectionFields, ParsedFields } from '../../../src/connection-string/fields.ts'
import { parseConnectionString } from '../../../src/connection-string/parse.ts'
import { isPlaceholder } from '../../../src/connection-string/placeholder.ts'
import { isSendable, refuseWhole } from '../../../src/connection-string/values.ts'
import { buildConnectionString } from '../../../src/connection-string/writer.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'

const ORIGIN: Origin = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' }
const CLOUD_HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'

/** Runs per property; `FUZZ_RUNS=100000` for a long hunt. */
const numRuns = Number(process.env.FUZZ_RUNS ?? 1500)
const TIMEOUT_MS = 60_000 + numRuns * 20

type Complete = ConnectionFields & { host: string; user: string; dbname: string; password: Password }

function plain(fields: ConnectionFields): object {
  return { ...fields, password: fields.password?.reveal() }
}

/** Any text that a server can take, with the characters that URLs give a meaning to more often than chance would. */
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...'@/?#:%&=+ \'"\\<>{}[]$;,.!()*~^|`'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 24,
  })
  .filter((value) => value !== '' && isSendable(value) && !isPlaceholder(value))

/** True for what is refused in one value, since it looks like a whole secret: tests of values.ts have these. */
function looksWhole(value: string | undefined): boolean {
  try {
    refuseWhole(value ?? '', ORIGIN)
    return false
  } catch {
    return true
  }
}

const host = fc.oneof(
  fc.constantFrom('localhost', 'db.example.com', CLOUD_HOST, '/var/run/postgresql', '/tmp/a b', '10.0.0.7'),
  // In the shortest form: URL parsers rewrite the others.
  fc.constantFrom('::1', '2001:db8::7'),
  fc.domain(),
)

const fields: fc.Arbitrary<Complete> = fc
  .record(
    {
      host,
      port: fc.integer({ min: 1, max: 65_535 }),
      user: text,
      password: text.map((value) => new Password(value)),
      dbname: text,
      sslmode: fc.constantFrom('require', 'verify-ca', 'verify-full'),
      sslrootcert: fc.constantFrom('/opt/certs/root.crt', 'system', '~/x y.crt'),
      options: text,
      application_name: text,
      connect_timeout: fc.nat({ max: 600 }),
    },
    { requiredKeys: ['host', 'user', 'password', 'dbname'] },
  )
  .filter((given) => !`${given.user} ${given.dbname} ${given.options}`.includes('://'))
  .filter(({ user, dbname, options, application_name }) => ![user, dbname, options, application_name].some(looksWhole))

describe('fields', () => {
  test('written and read again are the same', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fields, (given) => {
        const read = parseConnectionString(buildConnectionString(given), ORIGIN)
        expect(plain(read.fields)).toEqual(plain(given))
        expect(read.warnings).toEqual([])
      }),
      { numRuns },
    )
  })

  test('written and read by pg-connection-string are the same', { timeout: TIMEOUT_MS }, () => {
    // It decodes the path with decodeURI and lets the URL parser fold dot segments: these database names it cannot read.
    const readable = fields.filter(({ dbname }) => !/[?#@]|(^|[/\\])\.{1,2}([/\\]|$)/.test(dbname))
    fc.assert(
      fc.property(readable, ({ host, port, user, password, dbname, options }) => {
        const written = buildConnectionString({
          host,
          user,
          password,
          dbname,
          ...(port === undefined ? {} : { port }),
          ...(options === undefined ? {} : { options }),
        })
        const read = parseAsPg(written)
        expect({ ...read, host: read.host?.toLowerCase() }).toEqual({
          host: host.toLowerCase(),
          port: port === undefined ? '' : String(port),
          user,
          password: password.reveal(),
          database: dbname,
          ...(options === undefined ? {} : { options }),
        })
      }),
      { numRuns },
    )
  })

  test('stored as JSON and read as a secret are the same', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(fields, (given) => {
        // Blanks around a field other than the password are no part of it.
        const { password, ...rest } = given
        const trimmed = Object.fromEntries(
          Object.entries(rest).map(([key, value]) => [key, typeof value === 'string' ? value.trim() : value]),
        )
        fc.pre(Object.values(trimmed).every((value) => value !== '' && !isPlaceholder(String(value))))
        fc.pre(password.reveal().trim() !== '')
        const stored = JSON.stringify({ ...trimmed, password: password.reveal() })
        expect(plain(parseSecret(stored, { origin: ORIGIN }).fields)).toEqual({
          ...trimmed,
          password: password.reveal(),
        })
      }),
      { numRuns },
    )
  })
})

/** Begins with a mark that no other part of an input has. */
const secret = fc
  .string({ unit: fc.constantFrom(...'abcdefXYZ0123456789'), minLength: 8, maxLength: 12 })
  .map((tail) => `Q7x${tail}`)

const FORMS: readonly ((password: string) => string)[] = [
  (password) =>
    `postgresql://app:${password}@${CLOUD_HOST}:26257/defaultdb?sslmode=verify-full&sslrootcert=$HOME/root.crt`,
  (password) =>
    `cockroachdb+psycopg2://app:${password}@db.example.com/orders?options=--cluster%3Dcozy-otter-4821&schema=public`,
  (password) => `jdbc:postgresql://${CLOUD_HOST}:26257/defaultdb?user=app&password=${password}&sslmode=verify-full`,
  (password) => `host=db.example.com port=5433 user=app password='${password}' dbname=orders sslmode=require`,
  (password) => `export DATABASE_URL="postgresql://app:${password}@[::1]:5433/orders"`,
  (password) =>
    JSON.stringify({
      engine: 'postgres',
      host: CLOUD_HOST,
      port: 26257,
      username: 'app',
      password,
      dbname: 'defaultdb',
    }),
  (password) =>
    JSON.stringify({ DATABASE_URL: `postgresql://app:${password}@db.example.com/orders?sslmode=require`, password }),
  (password) => JSON.stringify({ url: JSON.stringify({ hostname: 'h', user: 'app', password, ssl: true }) }),
]

/** One edit: a piece is dropped, doubled, or replaced by characters that mean something. */
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.nat({ max: 24 }),
  kind: fc.constantFrom('drop', 'double', 'replace', 'insert'),
  by: fc.oneof(
    fc.constantFrom(
      '@',
      '/',
      '?',
      '#',
      ':',
      '%',
      '&',
      '=',
      ' ',
      '\n',
      '"',
      "'",
      '{',
      '}',
      ',',
      '\\',
      '\0',
      '://',
      '%zz',
    ),
    fc.string({ maxLength: 4 }),
  ),
})

function mutate(input: string, edits: readonly { at: number; length: number; kind: string; by: string }[]): string {
  return edits.reduce((current, { at, length, kind, by }) => {
    const start = Math.floor(at * current.length)
    const end = Math.min(current.length, start + length)
    const piece = current.slice(start, end)
    const middle = { drop: '', double: piece + piece, replace: by, insert: by + piece }[kind] ?? ''
    return current.slice(0, start) + middle + current.slice(end)
  }, input)
}

/** Everything that a reader prints: the fields and warnings of a success, the whole of an error. */
function printed(read: () => ParsedFields): string {
  try {
    return read().warnings.join('\n')
  } catch (error) {
    expect(error).toBeInstanceOf(ConnectionError)
    return inspect(error, { depth: Infinity, showHidden: true })
  }
}

const READERS: readonly [string, (input: string) => ParsedFields][] = [
  ['parseConnectionString', (input) => parseConnectionString(input, ORIGIN)],
  ['parseSecret', (input) => parseSecret(input, { origin: ORIGIN })],
  ['parseSecret with a key', (input) => parseSecret(input, { origin: ORIGIN, key: 'DATABASE_URL' })],
]

describe.each(READERS)('%s', (_name, read) => {
  test('throws nothing but ConnectionError for arbitrary text', { timeout: TIMEOUT_MS }, () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.json({ maxDepth: 3 }),
      fc
        .tuple(fc.constantFrom('postgresql://', 'jdbc:postgresql://', 'host=', '{"url":"', '"'), text)
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(anything, (input) => {
        printed(() => read(input))
      }),
      { numRuns },
    )
  })

  test('never prints the password, however the input is damaged', { timeout: TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(secret, fc.constantFrom(...FORMS), fc.array(edit, { maxLength: 3 }), (password, form, edits) => {
        expect(printed(() => read(mutate(form(password), edits)))).not.toContain(password)
      }),
      { numRuns },
    )
  })
})

/** A part of a URL: raw where that has one meaning, encoded otherwise. */
const encoded = text.map(encodeURIComponent)
const raw = fc
  .string({ unit: fc.constantFrom(...'abcXYZ019-_.!$&*+,;=~@'), minLength: 1, maxLength: 12 })
  .filter((value) => !isPlaceholder(value))

test('a string read, written and read again names the same fields', { timeout: TIMEOUT_MS }, () => {
  const url = fc
    .record({
      scheme: fc.constantFrom('postgresql', 'postgres', 'cockroachdb', 'cockroachdb+psycopg2', 'postgresql+asyncpg'),
      user: encoded,
      password: fc.oneof(encoded, raw),
      host: fc.constantFrom('localhost', CLOUD_HOST, '[::1]', '%2Ftmp%2Fpg', 'db.example.com:7'),
      dbname: encoded,
      query: fc.constantFrom(
        '',
        '?sslmode=require',
        '?options=-c%20x%3Dy+z&schema=public',
        '?connect_timeout=3&application_name=a@b',
      ),
    })
    .map((part) => `${part.scheme}://${part.user}:${part.password}@${part.host}/${part.dbname}${part.query}`)
  const keywords = fc.record({ user: text, password: text, dbname: text }).map(({ user, password, dbname }) =>
    Object.entries({ host: 'db.example.com', user, password, dbname })
      .map(([name, value]) => `${name}='${value.replace(/['\\]/g, '\\$&')}'`)
      .join(' '),
  )
  fc.assert(
    fc.property(fc.oneof(url, keywords), (input) => {
      const first = parseConnectionString(input, ORIGIN).fields
      const { host: server = '', user = '', dbname = '' } = first
      const second = parseConnectionString(
        buildConnectionString({ ...first, host: server, user, dbname }),
        ORIGIN,
      ).fields
      expect(plain(second)).toEqual(plain(first))
    }),
    { numRuns },
  )
})
