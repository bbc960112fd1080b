/** A secret that was put into the place of another setting is refused there, and no part of it is in any output. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { CONNECTION_FIELDS, FIELD_NAMES } from '../../../src/connection-string/fields.ts'
import type { DatabaseOptions } from '../../../src/index.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { SETTINGS } from '../../../src/settings/setting-table.ts'
import { readSettings } from '../../../src/settings/settings.ts'
import { openProduct, type Product, printed } from '../../support/product.ts'
import { WITH_SECRET } from '../../support/settings.ts'

const URL_FORM = 'postgresql://app:Tr0ub4dor@db7.example.com:26257/shop'
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** What people have in their clipboard when they fill in settings; each part is enough to be a leak. */
const WHOLES: Readonly<Record<string, { value: string; parts: readonly string[] }>> = {
  'a URL': { value: URL_FORM, parts: ['Tr0ub4dor'] },
  'a URL in quotes': { value: `"${URL_FORM}"`, parts: ['Tr0ub4dor'] },
  'a URL behind a name': { value: `DATABASE_URL=${URL_FORM}`, parts: ['Tr0ub4dor'] },
  'an encoded URL': { value: encodeURIComponent(URL_FORM), parts: ['Tr0ub4dor'] },
  'a JDBC URL': { value: 'jdbc:postgresql://db7.example.com/shop?user=app&password=Tr0ub4dor', parts: ['Tr0ub4dor'] },
  'keywords and values': { value: 'host=db7.example.com user=app password=Tr0ub4dor', parts: ['Tr0ub4dor'] },
  'ADO.NET': { value: 'Host=db7.example.com;Username=app;Pwd=Tr0ub4dor', parts: ['Tr0ub4dor'] },
  JSON: { value: '{"username":"app","password":"Tr0ub4dor"}', parts: ['Tr0ub4dor'] },
  'JSON in an array': { value: '[{"username":"app","password":"Tr0ub4dor"}]', parts: ['Tr0ub4dor'] },
  'escaped JSON': { value: '{\\"username\\":\\"app\\",\\"password\\":\\"Tr0ub4dor\\"}', parts: ['Tr0ub4dor'] },
  'a Python dict': { value: "{'username': 'app', 'password': 'Tr0ub4dor'}", parts: ['Tr0ub4dor'] },
  'keys without quotes': { value: '{username:app,password:Tr0ub4dor}', parts: ['Tr0ub4dor'] },
  'base64 of a URL': { value: base64(URL_FORM), parts: [base64(URL_FORM).slice(0, 16), 'Tr0ub4dor'] },
  'base64 of JSON, without its end': {
    value: base64('{"username":"app","password":"Tr0ub4dor"}').replace(/=+$/, ''),
    parts: [base64('{"username":"app",').slice(0, 16), 'Tr0ub4dor'],
  },
  'a private key': {
    value: '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----\n',
    parts: ['MIIEvQIBADANBgkqhkiG9w0BAQ'],
  },
  'an access key id of AWS': { value: 'AKIAIOSFODNN7EXAMPLE', parts: ['AKIAIOSFODNN7EXAMPLE'] },
  'an API key of CockroachDB Cloud': { value: 'CCDB1_kgA7bQ2mTr0ub4dor', parts: ['kgA7bQ2m'] },
}

/** Where a text of any shape may stand, these are accepted, and shown as little as the others. */
const WORDS = {
  'a generated password': { value: 'xK7$q#Zw9!mPe2', parts: ['xK7$q#Zw9!mPe2'] },
  'a secret key of AWS': {
    value: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    parts: ['wJalrXUtnFEMI', 'K7MDENG'],
  },
  'a word that begins as a setting’s does': { value: 'verysecretword', parts: ['verysecretword'] },
}

/** What each of these may be is any text. */
const isPassword = (option: string) => option === 'password'

const OPTIONS = [...FIELD_NAMES, ...Object.keys(SETTINGS), 'connectionString'].filter((name) => !isPassword(name))
const VARIABLES = [
  ...FIELD_NAMES.filter((name) => !isPassword(name)).map((name) => CONNECTION_FIELDS[name].variable),
  ...Object.values(SETTINGS).map(({ variable }) => variable),
  ...['DATABASE_URL', 'PGSSLNEGOTIATION', 'AWS_REGION', 'AWS_LAMBDA_MAX_CONCURRENCY'],
  'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT',
]

interface Case {
  readonly place: string
  readonly kind: string
  readonly value: string
  readonly parts: readonly string[]
}

function product(places: readonly string[], values: Readonly<Record<string, Omit<Case, 'place' | 'kind'>>>): Case[] {
  return places.flatMap((place) => Object.entries(values).map(([kind, value]) => ({ place, kind, ...value })))
}

/** A connection string is at home in these. */
const readsStrings = (place: string) => ['connectionString', 'DATABASE_URL'].includes(place)
/** A certificate may be; a private key is refused when the file is looked at. */
const readsPem = ({ place, kind }: Case) => /ssl(?:root)?(?:cert|key)/i.test(place) && kind === 'a private key'

let running: Product
const told: unknown[] = []
const hear = (message: unknown) => void told.push(message)
const CHANNELS = ['secret', 'connect', 'connectFailed', 'warning'].map((name) => `cockroach-lambda:${name}`)

beforeAll(async () => {
  running = await openProduct()
  for (const name of CHANNELS) subscribe(name, hear)
})

afterAll(async () => {
  for (const name of CHANNELS) unsubscribe(name, hear)
  await running?.[Symbol.asyncDispose]()
})

/** All that a database with these settings says about itself, and to whom. */
async function outputs(options: DatabaseOptions): Promise<{ error: unknown; text: string; requests: number }> {
  running.secretsManager.requests.length = 0
  told.length = 0
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const error = await (async () => running.database(options).query('select 1'))().catch((reason: unknown) => reason)
    const report = await (async () => running.database(options).healthCheck())().catch((reason: unknown) => reason)
    const text = [error, report, told, written.mock.calls].map(printed).join('\n')
    return { error, text, requests: running.secretsManager.requests.length }
  } finally {
    written.mockRestore()
  }
}

function expectNone(text: string, parts: readonly string[]): void {
  for (const part of parts) expect(text.includes(part)).toBe(false)
}

describe('in an option', () => {
  const cases = product(OPTIONS, WHOLES).filter((row) => !readsStrings(row.place) && !readsPem(row))

  test.each(cases)('$place: $kind is refused before anything is sent', async ({ place, value, parts }) => {
    const { error, text, requests } = await outputs({ [place]: value })
    expect(error).toMatchObject({ code: 'ERR_CONFIG' })
    expect(requests).toBe(0)
    expectNone(text, parts)
  })

  test.each(product(['sslrootcert', 'sslcert', 'sslkey', 'connectionString'], WHOLES))(
    '$place: $kind is in no output',
    async ({ place, value, parts }) => {
      if (place === 'connectionString' && value.includes('db7')) return
      const { error, text } = await outputs({ [place]: value })
      expect(error).toBeInstanceOf(ConnectionError)
      expectNone(text, parts)
    },
  )

  test.each(product([...OPTIONS], WORDS))('$place: $kind is not shown', ({ place, value, parts }) => {
    expectNone(saidOf({ [place]: value }, {}), parts)
  })

  test.each(product(OPTIONS, { ...WHOLES, ...WORDS }))(
    '$place: $kind in an object is not asked for its text',
    (row) => {
      for (const value of [{ toString: () => row.value }, [row.value], new String(row.value), () => row.value]) {
        const said = saidOf({ [row.place]: value }, {})
        expect(said).toContain(`option ${row.place} is a`)
        expectNone(said, row.parts)
      }
    },
  )
})

/** The error of these settings, or what they are. */
function saidOf(options: object, environment: Readonly<Record<string, string>>): string {
  try {
    readSettings(options, { ...WITH_SECRET, ...environment })
    return ''
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CONFIG' })
    return inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })
  }
}

describe('in a variable', () => {
  const cases = product(VARIABLES, WHOLES).filter((row) => !readsStrings(row.place) && !readsPem(row))

  test.each(cases)('$place: $kind is refused', ({ place, value, parts }) => {
    const said = saidOf({}, { [place]: value })
    expect(said).toContain(place)
    expectNone(said, parts)
  })

  test.each(product(VARIABLES, WORDS))('$place: $kind is not shown', ({ place, value, parts }) => {
    expectNone(saidOf({}, { [place]: value }), parts)
  })
})

describe('as a name', () => {
  test.each(product(['name'], { ...WHOLES, ...WORDS }).filter(({ value }) => value !== 'verysecretword'))(
    'of an option or a key, $kind is not shown',
    ({ value, parts }) => {
      expectNone(saidOf({ [value]: 'x' }, {}), parts)
      expectNone(saidOf({}, { [value]: 'x', PGPORT: 'x' }), parts)
      const origin = { code: 'ERR_SECRET_INVALID', name: 'the secret' } as const
      for (const secret of [
        { [value]: 'x' },
        { [value]: { [value]: 'x' } },
        { password: '', [value]: 'x' },
        { [value]: 'postgresql://h/d', [`${value}2`]: 'postgresql://i/d' },
        { [value]: 'postgresql://h/d?x' },
        { url: `postgresql://h/d?${value}=1` },
        { url: '', [value]: 'x' },
      ]) {
        for (const key of [undefined, value, 'url']) {
          const read = (() => {
            try {
              return parseSecret(JSON.stringify(secret), { origin, key }).warnings
            } catch (error) {
              return error
            }
          })()
          expectNone(printed(read), parts)
        }
      }
    },
  )
})
