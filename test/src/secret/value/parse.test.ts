import { describe, expect, test } from 'vitest'
import type { Origin } from '../../../../src/base/refusal.ts'
import type { ParsedFields } from '../../../../src/connection-string/fields.ts'
import { parseSecret } from '../../../../src/secret/value/parse.ts'
import { CLOUD_HOST, type PlainFields, plain, refusalOf, SECRET } from '../../../support/connection-string.ts'

const ORIGIN: Origin = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' }
const URL_FORM = 'postgresql://app:p%40w@db.example.com:5433/orders'

const APP = { user: 'app', password: 'p@w', host: 'db.example.com', port: 5433, dbname: 'orders' }
const RDS = { engine: 'postgres', host: APP.host, port: APP.port, username: 'app', password: 'p@w', dbname: 'orders' }

function parse(secret: string, key?: string): ParsedFields {
  return parseSecret(secret, { origin: ORIGIN, ...(key === undefined ? {} : { key }) })
}

function read(secret: string, key?: string): PlainFields {
  return plain(parse(secret, key).fields)
}

describe('shapes', () => {
  test.each<[string, string]>([
    ['a bare URL', URL_FORM],
    ['a bare URL with a line break', `${URL_FORM}\r\n`],
    ['a bare URL with a byte order mark', `\uFEFF${URL_FORM}`],
    ['keywords and values', "host=db.example.com port=5433 user=app password='p@w' dbname=orders"],
    ['a URL in JSON quotes', JSON.stringify(URL_FORM)],
    ['a URL in single quotes', `'${URL_FORM}'`],
    ['a line of a .env file', `export DATABASE_URL="${URL_FORM}"`],
    ['JSON with DATABASE_URL', JSON.stringify({ DATABASE_URL: URL_FORM })],
    ['JSON with databaseUrl', JSON.stringify({ databaseUrl: URL_FORM })],
    ['JSON with connection-string', JSON.stringify({ 'connection-string': URL_FORM })],
    [
      'JSON with url, and other things',
      JSON.stringify({ url: URL_FORM, apiToken: 'x', retries: 3, service: 'orders' }),
    ],
    ['JSON with the same URL twice', JSON.stringify({ url: URL_FORM, DATABASE_URL: URL_FORM })],
    ['JSON with one URL under an unknown key', JSON.stringify({ PROD_ORDERS: URL_FORM, docs: 'https://example.com' })],
    ['JSON with a URL in quotes', JSON.stringify({ url: `"${URL_FORM}"` })],
    ['RDS fields', JSON.stringify({ ...RDS, dbInstanceIdentifier: 'x', dbClusterIdentifier: 'y', masterarn: 'z' })],
    ['RDS fields, port as text', JSON.stringify({ ...RDS, port: '5433' })],
    ['RDS fields, host with port', JSON.stringify({ ...RDS, host: 'db.example.com:5433' })],
    [
      'fields with hostname, user, database',
      JSON.stringify({ hostname: APP.host, port: 5433, user: 'app', password: 'p@w', database: 'orders' }),
    ],
    [
      'fields with environment names',
      JSON.stringify({ PGHOST: APP.host, PGPORT: '5433', PGUSER: 'app', PGPASSWORD: 'p@w', PGDATABASE: 'orders' }),
    ],
    [
      'fields with DB_ names',
      JSON.stringify({
        DB_HOST: APP.host,
        DB_PORT: '5433',
        DB_USER: 'app',
        DB_PASSWORD: 'p@w',
        DB_NAME: 'orders',
      }).replace('DB_NAME', 'DATABASE_NAME'),
    ],
    ['JSON in JSON quotes', JSON.stringify(JSON.stringify(RDS))],
    ['JSON in single quotes', `'${JSON.stringify(RDS)}'`],
    ['JSON behind a name', `DB_SECRET='${JSON.stringify(RDS)}'`],
    ['JSON escaped once more', JSON.stringify(JSON.stringify(RDS)).slice(1, -1)],
    ['JSON text under one key', JSON.stringify({ value: JSON.stringify(RDS) })],
    ['JSON text under a usual key', JSON.stringify({ url: JSON.stringify(RDS) })],
    ['an object under one key', JSON.stringify({ production: RDS })],
    ['a URL and fields that agree', JSON.stringify({ ...RDS, url: URL_FORM })],
    [
      'a URL without password, and the password',
      JSON.stringify({ url: 'postgresql://app@db.example.com:5433/orders', DB_PASSWORD: 'p@w' }),
    ],
    ['nulls and empty texts where nothing is needed', JSON.stringify({ ...RDS, options: '', sslrootcert: null })],
  ])('%s', (_name, secret) => {
    expect(read(secret)).toStrictEqual(APP)
  })

  test('a password in a field is never decoded or trimmed', () => {
    for (const password of ['p%40w', 'a#b/c?d@e%', ' x ', 'p\\w', '"q"', '<a&b>', 'u\u0026v']) {
      expect(read(JSON.stringify({ password }))).toStrictEqual({ password })
    }
  })

  test('a password alone is enough: the environment can name the server', () => {
    expect(read('{"password":"x"}')).toStrictEqual({ password: 'x' })
  })

  test('all fields of libpq are taken', () => {
    const fields = {
      host: CLOUD_HOST,
      port: 26257,
      user: 'u',
      password: 'p',
      dbname: 'd',
      sslmode: 'require',
      options: '-c x=1',
      application_name: 'n',
      connect_timeout: 7,
      cluster: 'cozy-otter-4821',
    }
    expect(read(JSON.stringify({ ...fields, ca: '/x/root.crt' }))).toStrictEqual({
      ...fields,
      sslrootcert: '/x/root.crt',
    })
  })

  test('\\u0026 is an ampersand', () => {
    expect(read('{"url":"postgresql://h/d?sslmode=require\\u0026application_name=me"}')).toMatchObject({
      sslmode: 'require',
      application_name: 'me',
    })
    expect(read('postgresql://h/d?sslmode=require\\u0026application_name=me')).toMatchObject({
      sslmode: 'require',
      application_name: 'me',
    })
  })

  test('the identifier may be in front of one of two database names', () => {
    const url = `postgresql://app:p@${CLOUD_HOST}/defaultdb`
    expect(read(JSON.stringify({ url, dbname: 'cozy-otter-4821.defaultdb' })).dbname).toBe('cozy-otter-4821.defaultdb')
  })
})

/** Of the application, or of other services. */
const OF_THE_APPLICATION: readonly Readonly<Record<string, unknown>>[] = [
  ...[
    { PORT: '3000' },
    { PORT: 'tcp://10.0.0.1:80' },
    { HOST: '0.0.0.0' },
    { hostname: 'web-1' },
    { ENDPOINT: 'https://api.example.com' },
  ],
  ...[
    { SERVER: 'nginx' },
    { DB: '0' },
    { DATABASE: 'redis-7' },
    { USER: 'node' },
    { USERNAME: 'admin', PASSWORD: 'of-basic-auth' },
  ],
  ...[
    { PASS: '' },
    { PWD: '/app' },
    { passwd: 5 },
    { APP_NAME: 'Shop' },
    { applicationName: { en: 'Shop' } },
    { OPTIONS: { retries: 3 } },
  ],
  ...[
    { CLUSTER: 'prod-ecs' },
    { clusterIdentifier: 'redshift-1' },
    { CA: 'https://ca.example.com' },
    { SSL_CA: 'no file' },
  ],
  ...[
    { SSL: 'false' },
    { ssl: { rejectUnauthorized: false } },
    { CONNECT_TIMEOUT: '5s' },
    { service: 'orders' },
    { SERVICE: 'orders' },
  ],
  ...[
    { URL: 'https://shop.example.com' },
    { DSN: 'https://key@sentry.example.com/1' },
    { schema: 'v2' },
    { ROLE: 'worker' },
    { TZ: 'UTC' },
  ],
]

describe('generic keys beside a connection string', () => {
  const bare = 'postgresql://app:p%40w@db.example.com'

  test.each(OF_THE_APPLICATION.map((beside) => [JSON.stringify(beside), beside] as const))(
    '%s neither contradicts it nor fills it up',
    (_name, beside) => {
      expect(parse(JSON.stringify({ DATABASE_URL: URL_FORM, ...beside }))).toEqual(parse(URL_FORM))
      expect(parse(JSON.stringify({ ...beside, DATABASE_URL: bare }))).toEqual(parse(bare))
      expect(read(JSON.stringify({ ...beside, OTHER: URL_FORM }))).toStrictEqual(APP)
    },
  )

  test.each([
    ['password', 'postgresql://app@db.example.com/orders', 'PGPASSWORD'],
    ['USERNAME', 'postgresql://db.example.com/orders', 'PGUSER'],
  ])('%s is not taken for what the string lacks, and a warning says so', (key, url, variable) => {
    expect(parse(JSON.stringify({ url, [key]: 'x' })).warnings).toEqual([
      `secret "app/db": key "${key}" is not read beside a connection string; complete the string, or rename the key ${variable}`,
    ])
  })

  test('are read in a record of RDS', () => {
    expect(read(JSON.stringify({ ...RDS, url: bare }))).toStrictEqual(APP)
  })
})

describe('specific keys beside a connection string', () => {
  const bare = 'postgresql://app:p%40w@db.example.com'

  test.each([
    ['PGPORT', '5433', { port: 5433 }],
    ['DB_PORT', 5433, { port: 5433 }],
    ['dbname', 'orders', { dbname: 'orders' }],
    ['DATABASE_NAME', 'orders', { dbname: 'orders' }],
    ['sslrootcert', '/x/root.crt', { sslrootcert: '/x/root.crt' }],
    ['COCKROACH_CLUSTER', 'cozy-otter-4821', { cluster: 'cozy-otter-4821' }],
  ])('%s fills it up', (key, value, fields) => {
    expect(read(JSON.stringify({ url: bare, [key]: value }))).toMatchObject(fields)
  })
})

describe('the key', () => {
  test.each([
    ...OF_THE_APPLICATION.map((beside) => JSON.stringify(beside)),
    ...['{"PGHOST":"other"}', '{"dbname":"other"}', '{"engine":"mysql"}', '{"hostaddr":"::1"}', '{"sslmode":"no"}'],
    ...['{"url":"postgresql://other/d"}', '{"dbPassword":{}}', '{"PGPORT":"x"}'],
  ])('is all that is read, beside %s too', (beside) => {
    const secret = { ...JSON.parse(beside), DATABASE_URL: URL_FORM, fields: RDS }
    expect(parse(JSON.stringify(secret), 'DATABASE_URL')).toEqual(parse(URL_FORM))
    expect(read(JSON.stringify(secret), 'fields')).toStrictEqual(APP)
  })

  const two = JSON.stringify({ PRIMARY: URL_FORM, REPLICA: 'postgresql://app:x@other/orders', nested: RDS, token: 5 })

  test.each(['PRIMARY', 'nested'])('%s is read', (key) => {
    const others = Object.entries(JSON.parse(two)).filter(([name]) => name === key || name === 'token')
    expect(read(JSON.stringify(Object.fromEntries(others)), key)).toStrictEqual(APP)
    expect(read(two, key)).toStrictEqual(APP)
  })

  test('a missing one is reported with those that are there', () => {
    expect(refusalOf(() => parse(two, 'PRIMERY'))).toMatchObject({
      code: 'ERR_SECRET_INVALID',
      message: 'secret "app/db": has no key "PRIMERY"; found "PRIMARY", "REPLICA", "nested", "token"',
      hint: expect.stringContaining('Did you mean "PRIMARY"?'),
    })
  })

  test.each([
    [URL_FORM, 'PRIMARY', /not a JSON object/],
    ['{}', 'PRIMARY', /is empty/],
    ['', 'PRIMARY', /is empty/],
    [`{"PRIMARY":"${SECRET}`, 'PRIMARY', /malformed JSON/],
    ['{"PRIMARY":""}', 'PRIMARY', /key "PRIMARY": is empty/],
    ['{"PRIMARY":5}', 'PRIMARY', /key "PRIMARY": is neither/],
    ['{"a":"b"}', '__proto__', /no key "__proto__"/],
  ])('%s with %s is refused', (secret, key, message) => {
    expect(refusalOf(() => parse(secret, key))).toMatchObject({
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })
})

describe('bad secrets', () => {
  const url = `postgresql://app:${SECRET}@db.example.com:5433/orders`
  test.each<[string, string, RegExp]>([
    ['empty', '', /is empty/],
    ['blank', ' \n', /is empty/],
    ['empty object', '{}', /is empty/],
    ['empty text', '""', /is empty/],
    ['array', `["${SECRET}"]`, /an array of 1/],
    ['number', '5', /a number/],
    ['null', 'null', /is null/],
    ['true', 'true', /a boolean/],
    ['cut off JSON', `{"password":"${SECRET}"`, /malformed JSON \(\d+ characters\)/],
    ['Python dict', `{'password': '${SECRET}', 'ssl': None}`, /Python dict/],
    ['PowerShell without quotes', `{host:h,password:${SECRET}}`, /keys without quotes/],
    ['base64 of a URL', Buffer.from(url).toString('base64'), /base64/],
    ['base64 of JSON', Buffer.from(JSON.stringify({ password: SECRET })).toString('base64'), /base64/],
    [
      'base64 under a key',
      JSON.stringify({ url: Buffer.from(url).toString('base64') }),
      /key "url": is encoded in base64/,
    ],
    ['password alone as text', SECRET, /neither a URL/],
    ['API key', `CCDB1_${SECRET}`, /API key/],
    ['API key as password', JSON.stringify({ ...RDS, password: `CCDB1_${SECRET}` }), /API key/],
    ['several URLs', JSON.stringify({ A: url, B: `${url}2` }), /holds 2 connection strings, under "A", "B"/],
    ['several usual keys', JSON.stringify({ url, DATABASE_URL: `${url}2` }), /holds 2/],
    [
      'host that contradicts',
      JSON.stringify({ url, PGHOST: 'other' }),
      /host contradicts the connection string under "url"/,
    ],
    [
      'another identifier in front of the database',
      JSON.stringify({ url: `postgresql://${CLOUD_HOST}/aaaaaa-7.d`, dbname: 'bbbbbbb-7.d' }),
      /dbname contradicts/,
    ],
    ['password that contradicts', JSON.stringify({ url, dbPassword: `${SECRET}2` }), /password contradicts/],
    ...(['host', 'port', 'username', 'password', 'database'] as const).map((key): [string, string, RegExp] => [
      `${key} that contradicts in a record of RDS`,
      JSON.stringify({ url, engine: 'postgres', [key]: key === 'port' ? 1 : 'other' }),
      /contradicts the connection string under "url"/,
    ]),
    ['another engine beside a URL', JSON.stringify({ url, engine: 'mysql' }), /key "engine" names another database/],
    ['hostaddr beside a URL', JSON.stringify({ url, hostaddr: '10.0.0.1' }), /hostaddr/],
    ['sslmode beside a URL', JSON.stringify({ url, sslmode: 'no-verify' }), /accept any server/],
    ['a web address alone', JSON.stringify({ url: 'https://shop.example.com' }), /is not a PostgreSQL URL/],
    [
      'two keys for one field',
      JSON.stringify({ ...RDS, pass: SECRET }),
      /keys "password" and "pass" give password different values/,
    ],
    [
      'placeholder as password',
      JSON.stringify({ ...RDS, password: '<ENTER-SQL-USER-PASSWORD>' }),
      /password is still a placeholder/,
    ],
    ['placeholder as text', ['$', '{DATABASE_URL}'].join(''), /is still a placeholder/],
    ['placeholder in braces', '{url}', /is still a placeholder/],
    ['half-filled password', JSON.stringify({ ...RDS, password: '' }), /key "password" is empty/],
    ['half-filled host', JSON.stringify({ ...RDS, host: ' ' }), /key "host" is empty/],
    ['null password', JSON.stringify({ ...RDS, password: null }), /key "password" is null; expected text/],
    ['number as password', JSON.stringify({ ...RDS, password: 12345 }), /key "password" is a JSON number/],
    ['object as user', JSON.stringify({ ...RDS, username: {} }), /key "username" is a JSON object/],
    ['bad port', JSON.stringify({ ...RDS, port: 'abc' }), /port is not a number \(3 characters\)/],
    ['port out of range', JSON.stringify({ ...RDS, port: 70000 }), /port is 70000/],
    ['another engine', JSON.stringify({ ...RDS, engine: 'mysql' }), /key "engine"/],
    ['ssl false', JSON.stringify({ ...RDS, ssl: false }), /parameter ssl/],
    ['ssl that verifies nothing', JSON.stringify({ ...RDS, ssl: { rejectUnauthorized: false } }), /parameter ssl/],
    ['no-verify', JSON.stringify({ ...RDS, sslmode: 'no-verify' }), /accept any server/],
    ['hostaddr', JSON.stringify({ ...RDS, hostaddr: '10.0.0.1' }), /hostaddr/],
    ['host that is a URL', JSON.stringify({ ...RDS, host: url }), /host is a URL/],
    ['no usual key', JSON.stringify({ foo: SECRET, bar: 'x' }), /has no usual key; found "foo", "bar"/],
    ['NUL in the password', JSON.stringify({ password: `${SECRET}\0` }), /password has a character/],
    ['half a surrogate pair', '{"password":"\\ud800"}', /password has a character/],
    [
      'bad URL under a key',
      JSON.stringify({ url: `mysql://app:${SECRET}@h/d` }),
      /key "url": the URL is not a PostgreSQL URL/,
    ],
    ['empty URL', '{"url":""}', /key "url": is empty/],
    ['URL that is null', '{"url":null}', /key "url": is empty/],
    ['URL that is a number', '{"url":5}', /key "url": is neither/],
    ['nested for ever', `${'{"url":'.repeat(8)}{}${'}'.repeat(8)}`, /nested 4 times/],
  ])('%s', (_name, secret, message) => {
    expect(refusalOf(() => parse(secret))).toMatchObject({
      code: 'ERR_SECRET_INVALID',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('an empty secret is answered with the command that fills it', () => {
    expect(refusalOf(() => parse('{}'))).toMatchObject({
      message: 'secret "app/db": is empty',
      hint: expect.stringContaining('aws secretsmanager put-secret-value --secret-id app/db --secret-string'),
    })
  })

  test('a hidden prototype key is a key like any other', () => {
    expect(read('{"__proto__":{"host":"evil"},"password":"x"}')).toStrictEqual({ password: 'x' })
    expect(read('{"constructor":"x","password":"x"}')).toStrictEqual({ password: 'x' })
  })
})

describe('warnings', () => {
  test.each<[string, string, readonly string[]]>([
    ['nothing to repair', JSON.stringify(RDS), []],
    ['misspelt key', JSON.stringify({ pasword: 'x', host: 'h' }), ['ignored key "pasword"; did you mean "password"?']],
    ['other keys', JSON.stringify({ ...RDS, apiKey: 'x', note: 'y' }), []],
    [
      'blank at the end of a password',
      '{"password":"x\\n"}',
      ['the password begins or ends with a blank, and is used like that'],
    ],
    ['URL under an unknown key', JSON.stringify({ PROD: URL_FORM }), ['the connection string was found under "PROD"']],
  ])('%s', (_name, secret, warnings) => {
    expect(parse(secret).warnings).toEqual(warnings.map((text) => `secret "app/db": ${text}`))
  })
})

describe('a text that no secret has', () => {
  const deep = (depth: number, inner = '1') => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`

  test.each<[string, string, string | undefined]>([
    ['brackets that nest 30,000 times', deep(30_000), undefined],
    ['60,000 brackets that only open', '['.repeat(60_000), undefined],
    ['60,000 braces that only open', '{"a":'.repeat(12_000), undefined],
    ['objects that nest 10,000 times', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, undefined],
    ['a usual key that nests', `{"url":${deep(30_000)}}`, undefined],
    ['two usual keys that nest', `{"url":${deep(10_000)},"uri":${deep(10_000, '2')}}`, undefined],
    ['a field that nests', `{"host":"h","user":"u","password":${deep(30_000)}}`, undefined],
    ['a parameter that nests', `{"host":"h","user":"u","password":"p","ssl":${deep(30_000)}}`, undefined],
    ['a named key that nests', `{"db":${deep(30_000)}}`, 'db'],
    ['text in text, 5,000 times escaped', `"${'\\'.repeat(20_000)}"`, undefined],
    ['one character too many', `postgresql://u:${'p'.repeat(65_536)}@h/d`, undefined],
    ['a long key that is not there', '{"a":1}', 'k'.repeat(65_000)],
    ['5,000 keys', `{${Array.from({ length: 5000 }, (_, index) => `"k${index}":1`).join(',')}}`, 'db'],
  ])('%s, is ERR_SECRET_INVALID in a short message', (_, secret, key) => {
    const error = refusalOf(() => parse(secret, key))
    expect(error.code).toBe('ERR_SECRET_INVALID')
    expect(error.message.length).toBeLessThan(500)
  })

  test('of the longest length that Secrets Manager takes is read', () => {
    const password = 'p'.repeat(65_000)
    expect(read(JSON.stringify({ ...RDS, password }))).toMatchObject({ password })
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'])('key %s means nothing', (name) => {
    expect(read(`{"${name}":"x","password":"p"}`)).toEqual({ password: 'p' })
    expect(read(`{"${name}":{"password":"q"},"password":"p"}`)).toEqual({ password: 'p' })
    expect(() => parse('{"password":"p"}', name)).toThrow(`has no key "${name}"`)
    expect(read(`{"${name}":{"password":"q"}}`, name)).toEqual({ password: 'q' })
    expect(() => parse(`host=h ${name}=x`)).toThrow(/keyword 2 is an unknown word/)
  })
  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf'])('parameter %s is ignored', (name) => {
    expect(parse(`postgresql://u:p@h/d?${name}=x`).warnings).toEqual([`secret "app/db": ignored parameters: ${name}`])
  })
})
