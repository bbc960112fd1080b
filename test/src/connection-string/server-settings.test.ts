import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Origin } from '../../../src/base/refusal.ts'
import { addServerSettings, isServerSetting } from '../../../src/connection-string/server-settings.ts'
import { Database } from '../../../src/database.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { read, refusalOf } from '../../support/connection-string.ts'
import { openProduct, type Product } from '../../support/product.ts'

const ORIGIN: Origin = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' }

describe('at PostgreSQL', () => {
  let product: Product

  beforeAll(async () => {
    product = await openProduct()
    await product.cloud.postgres.query(`grant pg_read_all_data to ${product.cloud.user}`)
  })

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]()
  })

  test.each([
    ['search_path=billing', 'search_path', 'billing'],
    ['search_path=billing,%20"Other%20One"', 'search_path', 'billing, "Other One"'],
    ['currentSchema=billing,public', 'search_path', 'billing,public'],
    ['schema=billing', 'search_path', 'billing'],
    ['schema=Billing', 'search_path', '"Billing"'],
    ['schema=my%20own,%22x', 'search_path', '"my own,""x"'],
    ['options=-c%20search_path%3Dbilling', 'search_path', 'billing'],
    ['statement_timeout=1500', 'statement_timeout', '1500ms'],
    ['lock_timeout=2s', 'lock_timeout', '2s'],
    ['idle_in_transaction_session_timeout=3000', 'idle_in_transaction_session_timeout', '3s'],
    ['idle_session_timeout=0', 'idle_session_timeout', '0'],
    ['TimeZone=Asia/Singapore', 'timezone', 'Asia/Singapore'],
    ['datestyle=SQL,%20DMY', 'datestyle', 'SQL, DMY'],
    ['role=pg_read_all_data', 'role', 'pg_read_all_data'],
    ['readOnly=true', 'default_transaction_read_only', 'on'],
    ['default_transaction_read_only=on', 'transaction_read_only', 'on'],
    ['default_transaction_isolation=repeatable%20read', 'transaction_isolation', 'repeatable read'],
    ['app.tenant=42', 'app.tenant', '42'],
    ['statement_timeout=1500&options=-c%20lock_timeout%3D2s&schema=s', 'statement_timeout', '1500ms'],
  ])('?%s: show %s is %j', async (query, setting, expected) => {
    const { cloud } = product
    const connectionString = `postgresql://${cloud.user}:${encodeURIComponent(cloud.password)}@${cloud.host}:${cloud.standIn.port}/defaultdb?${query}`
    const database = new Database({ connectionString, sslrootcert: cloud.authority.certificate })
    const { rows } = await database.query(`select current_setting($1) as value`, [setting])
    expect(rows).toEqual([{ value: expected }])
    await database.close()
  })
})

test.each<[string | undefined, readonly [string, string][], string | undefined]>([
  [undefined, [['pool', '9']], undefined],
  ['-c a=b', [], '-c a=b'],
  ['-c a=b', [['search_path', 'x y']], '-c a=b -c search_path=x\\ y'],
  [
    undefined,
    [
      ['STATEMENT_TIMEOUT', '5s'],
      ['schema', ''],
    ],
    '-c statement_timeout=5s',
  ],
])('options %j with %j are %j', (options, entries, expected) => {
  const named = entries.map(([name, value]) => ({ name, value }))
  expect(addServerSettings(options, named, ORIGIN)).toBe(expected)
})

test.each([
  ['search_path=a&currentSchema=b', /search_path is given twice/],
  ['search_path=a&schema=a', /search_path is given twice/],
  ['search_path=a&options=-csearch_path%3Db', /search_path is given twice/],
  ['search_path=a&options=-c%20x%3Dy%20--search-path%3Db', /search_path is given twice/],
  ['readOnly=true&default_transaction_read_only=off', /default_transaction_read_only is given twice/],
  ['timezone=Etc/GMT%2B5', /timezone has a \+, % or \\/],
  ['timezone=Etc/GMT+5', /timezone has a \+, % or \\/],
  ['search_path=a%25b', /search_path has a \+, % or \\/],
  ['search_path=a%5Cb', /search_path has a \+, % or \\/],
  ['search_path=%3Cschema%3E', /search_path is still a placeholder/],
  ['search_path=a%00', /search_path has a character/],
])('?%s is refused', (query, message) => {
  expect(refusalOf(() => read(`postgresql://h/d?${query}`))).toMatchObject({
    ...{ code: 'ERR_CONFIG', message: expect.stringMatching(message), hint: expect.any(String) },
  })
})

test('a name that may be a password is measured, not shown', () => {
  const { message } = refusalOf(() => read('postgresql://h/d?a.Zq7kW2vN9x=1&a.Zq7kW2vN9x=2'))
  expect(message).toBe('DATABASE_URL: (12 characters) is given twice')
})

test('many settings take no longer than their text is long', () => {
  const of = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `a.b${index}`, value: 'x' }))
  expect(addServerSettings('-c a=b', of(50_000), ORIGIN)).toHaveLength(688_896)
})

test('keywords and values refuse a setting as libpq does, and name the form', () => {
  const { message, hint } = refusalOf(() => read('host=h user=app password=my search_path=x'))
  expect(message).toContain('keyword 4')
  expect(hint).toContain("options='-c search_path=billing'")
  expect(read("host=h options='-c search_path=billing'")).toEqual({ host: 'h', options: '-c search_path=billing' })
})

describe('in a secret in JSON', () => {
  const read = (secret: object) => parseSecret(JSON.stringify(secret), { origin: ORIGIN })

  test.each([
    [
      { host: 'h', search_path: 'billing', statement_timeout: 1500 },
      '-c search_path=billing -c statement_timeout=1500',
    ],
    [{ url: 'postgresql://h/d', currentSchema: 'billing' }, '-c search_path=billing'],
    [{ host: 'h', options: '-c a=b', lock_timeout: '2s' }, '-c a=b -c lock_timeout=2s'],
    [{ host: 'h', role: 'worker', timezone: 'UTC', readonly: true, 'app.name': 'shop' }, undefined],
  ])('%j has options %j', (secret, options) => {
    expect(read(secret).fields.options).toBe(options)
  })

  test('schema may be of anything: it is not read, and a warning names the key that is', () => {
    expect(read({ host: 'h', schema: 'v2' })).toEqual({
      ...{ fields: { host: 'h' }, warnings: ['secret "app/db": ignored key "schema"; did you mean "search_path"?'] },
    })
  })
})

test.each(['loc\u212a_timeout', 'default_transaction_\u212a', 'default_transaction_a-b', 'ti\u1e41ezone'])(
  'a name with a letter beyond ASCII, or with another character, is of no setting: %s',
  (name) => {
    expect(isServerSetting(name)).toBe(false)
  },
)
