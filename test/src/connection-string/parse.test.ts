import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import type { Origin } from '../../../src/base/refusal.ts'
import type { ConnectionFields } from '../../../src/connection-string/fields.ts'
import { parseConnectionString } from '../../../src/connection-string/parse.ts'
import { buildConnectionString } from '../../../src/connection-string/writer.ts'

const ORIGIN: Origin = { code: 'ERR_CONFIG', name: 'DATABASE_URL' }
const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const SECRET = 'Zq7kW2vN9x'

interface Plain extends Omit<ConnectionFields, 'password'> {
  readonly password?: string
}

function read(text: string): Plain {
  const { password, ...rest } = parseConnectionString(text, ORIGIN).fields
  return { ...rest, ...(password === undefined ? {} : { password: password.reveal() }) }
}

function warningsOf(text: string): readonly string[] {
  return parseConnectionString(text, ORIGIN).warnings
}

function refusalOf(text: string): { code: string; message: string; hint: string } {
  try {
    parseConnectionString(text, ORIGIN)
  } catch (error) {
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(SECRET)
    return error as { code: string; message: string; hint: string }
  }
  throw new Error('was accepted')
}

const APP = { user: 'app', password: 'pw', host: 'db.example.com', port: 5433, dbname: 'orders' }

describe('forms', () => {
  test.each<[string, Plain]>([
    ['postgresql://app:pw@db.example.com:5433/orders', APP],
    ['postgres://app:pw@db.example.com:5433/orders', APP],
    ['PostgreSQL://app:pw@db.example.com:5433/orders', APP],
    ['cockroachdb://app:pw@db.example.com:5433/orders', APP],
    ['cockroachdb+psycopg2://app:pw@db.example.com:5433/orders', APP],
    ['postgresql+asyncpg://app:pw@db.example.com:5433/orders', APP],
    ['jdbc:postgresql://db.example.com:5433/orders?user=app&password=pw', APP],
    ['jdbc:postgresql://db.example.com:5433/orders?user=app&password=p%2Bw', { ...APP, password: 'p+w' }],
    ['host=db.example.com port=5433 user=app password=pw dbname=orders', APP],
    ["host = db.example.com port='5433' user = app password = 'pw' dbname=orders", APP],
    [
      String.raw`host=db.example.com port=5433 user=app password='p \'w\\' dbname=orders`,
      { ...APP, password: String.raw`p 'w\ `.trim() },
    ],
    [String.raw`host=db.example.com port=5433 user=app password=p\ w dbname=orders`, { ...APP, password: 'p w' }],
    ['host=/var/run/postgresql dbname=orders', { host: '/var/run/postgresql', dbname: 'orders' }],
    ['postgresql://%2Fvar%2Frun%2Fpostgresql/orders', { host: '/var/run/postgresql', dbname: 'orders' }],
    ['postgresql://[::1]:5433/orders', { host: '::1', port: 5433, dbname: 'orders' }],
    ['postgresql://app@[2001:db8::7]/orders', { user: 'app', host: '2001:db8::7', dbname: 'orders' }],
    ['postgresql://127.0.0.1', { host: '127.0.0.1' }],
    ['postgresql:///orders', { dbname: 'orders' }],
    ['postgresql://', {}],
    ['postgresql://app:@db.example.com:/', { user: 'app', host: 'db.example.com' }],
    [
      `postgresql://app:pw@${HOST}:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=$HOME/.postgresql/root.crt`,
      {
        user: 'app',
        password: 'pw',
        host: HOST,
        port: 26257,
        dbname: 'cozy-otter-4821.defaultdb',
        sslmode: 'verify-full',
        sslrootcert: '$HOME/.postgresql/root.crt',
      },
    ],
    [
      'postgresql://app:pw@free-tier4.aws-us-west-2.cockroachlabs.cloud:26257/defaultdb?options=--cluster%3Dcozy-otter-4821&application_name=me&connect_timeout=5',
      {
        user: 'app',
        password: 'pw',
        host: 'free-tier4.aws-us-west-2.cockroachlabs.cloud',
        port: 26257,
        dbname: 'defaultdb',
        options: '--cluster=cozy-otter-4821',
        application_name: 'me',
        connect_timeout: 5,
      },
    ],
    [
      'postgresql://h/d?options=--cluster=cozy-otter-4821',
      { host: 'h', dbname: 'd', options: '--cluster=cozy-otter-4821' },
    ],
    [
      'postgresql://h/d?options=-c%20statement_timeout%3D5s',
      { host: 'h', dbname: 'd', options: '-c statement_timeout=5s' },
    ],
    ['postgresql://h/d?sslmode=disable', { host: 'h', dbname: 'd', sslmode: 'disable' }],
    ['postgresql://h/d?sslmode=require&sslnegotiation=direct', { host: 'h', dbname: 'd', sslmode: 'require' }],
    [`postgresql://${HOST}/d?sslnegotiation=postgres&ssl=true`, { host: HOST, dbname: 'd' }],
    ['postgresql://h/d?sslMode=verify-ca', { host: 'h', dbname: 'd', sslmode: 'verify-ca' }],
    ['postgresql://h/d?sslmode=', { host: 'h', dbname: 'd' }],
  ])('%s', (text, expected) => {
    expect(read(text)).toStrictEqual(expected)
  })
})

describe('passwords in URLs', () => {
  test.each([
    ['p%40ss%2Fw%23rd', 'p@ss/w#rd'],
    ['p%2540', 'p%40'],
    ['a+b', 'a+b'],
    ['a%20b', 'a b'],
    ['a b', 'a b'],
    ['a:b', 'a:b'],
    ['p@ss', 'p@ss'],
    ['p/ss', 'p/ss'],
    ['p#ss', 'p#ss'],
    ['p?ss', 'p?ss'],
    ['p@', 'p@'],
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['<x&y>', '<x&y>'],
    ['$ecret', '$ecret'],
    ['%F0%9F%AA%B3', '🪳'],
    ['p%0Aq', 'p\nq'],
  ])('%s is read as %s', (written, meant) => {
    expect(read(`postgresql://app:${written}@db.example.com/orders?sslmode=verify-full`)).toStrictEqual({
      user: 'app',
      password: meant,
      host: 'db.example.com',
      dbname: 'orders',
      sslmode: 'verify-full',
    })
  })

  test.each([
    ['a raw slash before another @', `app:p@evil.com/${SECRET}`, /two different hosts/],
    ['a raw slash, and two more @ behind it', `app:x/p@evil!/${SECRET}`, /two different hosts/],
    ['a raw ? in the user', `a?p:${SECRET}`, /not name=value/],
    ['digits before a raw slash', `app:12/${SECRET}`, /two different hosts/],
    ['digits before a raw #', `app:1#${SECRET}`, /two different hosts/],
    ['a raw ? before another @', `app:p@evil?${SECRET}`, /two different hosts/],
    ['encoded and bare %', `app:%40%zz${SECRET}`, /mixes/],
    ['bytes that are not UTF-8', `app:%ff${SECRET}`, /UTF-8/],
    ['a line break', `app:${SECRET}\nx`, /line break/],
    ['NUL', `app:${SECRET}%00`, /NUL/],
    ['a placeholder of the console', 'app:<ENTER-SQL-USER-PASSWORD>', /password is still a placeholder/],
    ['a placeholder in a variable', ['app:$', '{DB_PASSWORD}'].join(''), /password is still a placeholder/],
    ['a shell variable', 'app:$PASSWORD', /password is still a placeholder/],
    [
      'CloudFormation left unresolved',
      'app:{{resolve:secretsmanager:db:SecretString:password}}',
      /two different hosts|placeholder/,
    ],
    ['an API key', `app:CCDB1_${SECRET}`, /API key/],
  ])('refuses %s', (_name, login, message) => {
    expect(refusalOf(`postgresql://${login}@db.example.com/orders`)).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('raw characters are accepted with a warning, encoded ones without', () => {
    expect(warningsOf('postgresql://app:p/w@h/d')).toEqual([
      'DATABASE_URL: password has special characters that other clients read differently; percent-encode them',
    ])
    expect(warningsOf('postgresql://me@home:pw@h/d')).toEqual([
      'DATABASE_URL: user has special characters that other clients read differently; percent-encode them',
    ])
    expect(warningsOf('postgresql://me%40home:p%2Fw@h/d')).toEqual([])
  })

  test('an @ in the value of a known parameter does not move the host', () => {
    expect(read('postgresql://app:pw@h/d?application_name=me@home').host).toBe('h')
    expect(read('postgresql://h/d?application_name=me@home')).toMatchObject({ host: 'h', application_name: 'me@home' })
  })
})

describe('wrappings', () => {
  const url = 'postgresql://app:pw@db.example.com:5433/orders'
  test.each([
    ` ${url}\n`,
    `\uFEFF${url}`,
    `"${url}"`,
    `'${url}'`,
    `"${url}",`,
    `“${url}”`,
    `DATABASE_URL=${url}`,
    `DATABASE_URL="${url}"\n`,
    `export DATABASE_URL='${url}'`,
    `$env:DATABASE_URL = "${url}"`,
    `DATABASE_URL: ${url}`,
    `psql "${url}"`,
    `cockroach sql --url '${url}'`,
    'PG_DSN="host=db.example.com port=5433 user=app password=pw dbname=orders"',
  ])('%j', (text) => {
    expect(read(text)).toStrictEqual(APP)
  })

  test('blanks are taken off in silence, quotes with a warning', () => {
    expect(warningsOf(` ${url}\n`)).toEqual([])
    expect(warningsOf(`"${url}"`)).toEqual(['DATABASE_URL: taken off around the connection string: quotes'])
  })

  test.each(['&amp;', '\\u0026'])('%s between parameters is read as &', (separator) => {
    const text = `postgresql://h/d?sslmode=require${separator}application_name=me`
    expect(read(text)).toMatchObject({ sslmode: 'require', application_name: 'me' })
    expect(warningsOf(text)).toHaveLength(1)
  })
})

describe('parameters', () => {
  test('unknown ones are named in one warning', () => {
    expect(warningsOf('postgresql://h/d?schema=public&pgbouncer=true&sslmode=require&keepalives=1')).toEqual([
      'DATABASE_URL: ignored parameters: schema, pgbouncer, keepalives',
    ])
  })

  test.each([
    ['sslmode=no-verify', /accept any server/],
    ['sslmode=verify-ful', /"verify-ful"; did you mean "verify-full"/],
    [`sslmode=${SECRET}`, /unknown word of 10 characters/],
    ['ssl=false', /parameter ssl /],
    ['ssl=no-verify', /parameter ssl /],
    ['sslaccept=accept_invalid_certs', /parameter sslaccept/],
    ['rejectUnauthorized=false', /parameter rejectUnauthorized/],
    ['sslfactory=org.postgresql.ssl.NonValidatingFactory', /parameter sslfactory/],
    ['ssl_min_protocol_version=TLSv1', /ssl_min_protocol_version/],
    ['sslcrl=/tmp/x', /sslcrl/],
    ['host=evil.com', /host stands among/],
    ['HOST=evil.com', /host stands among/],
    ['hostaddr=10.0.0.1', /hostaddr/],
    ['port=1', /port stands among/],
    ['dbname=x', /dbname stands among/],
    ['service=x', /service/],
    ['sslmode=require&sslmode=disable', /sslmode is given twice/],
    ['user=x', /user is given twice/],
    ['connect_timeout=5s', /connect_timeout/],
    ['connect_timeout=-1', /connect_timeout/],
    ['sslmode', /is not name=value/],
    ['=x', /is not name=value/],
    ['sslmode=require#x', /raw #/],
    ['sslnegotiation=direct', /sslnegotiation=direct/],
    ['sslnegotiation=x', /sslnegotiation/],
  ])('refuses ?%s', (query, message) => {
    const refusal = refusalOf(`postgresql://app:${SECRET}@${HOST}/defaultdb?${query}`)
    expect(refusal).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('a plus in a JDBC password is refused: it has two readings', () => {
    expect(refusalOf('jdbc:postgresql://h/d?user=app&password=a+b').message).toMatch(/JDBC/)
  })
})

describe('bad strings', () => {
  test.each([
    ['', /is empty/],
    ['   ', /is empty/],
    ['"\'\'"', /is empty/],
    ['hello', /neither a URL/],
    [`mysql://app:${SECRET}@h/d`, /not one of PostgreSQL/],
    [`https://app:${SECRET}@h/d`, /not one of PostgreSQL/],
    [`app:${SECRET}@h:26257/d`, /no scheme/],
    [`postgresql:app:${SECRET}@h/d`, /without "\/\/"/],
    ['jdbc:postgresql:orders', /without "\/\/"/],
    [`CCDB1_${SECRET}`, /API key/],
    ['-----BEGIN CERTIFICATE-----', /certificate/],
    [`PGHOST=h\nPGPASSWORD=${SECRET}`, /environment variables/],
    [`Host=h;Username=app;Password=${SECRET};Database=d`, /ADO\.NET/],
    [`postgresql://app:${SECRET}@h:x/d`, /cannot be told apart/],
    [`postgresql://app:${SECRET}`, /cannot be told apart/],
    [`postgresql://app:${SECRET}@h:0/d`, /port is 0/],
    [`postgresql://app:${SECRET}@h:65536/d`, /port is 65536/],
    [`postgresql://app:${SECRET}@h1,h2/d`, /several hosts/],
    [`postgresql://app:${SECRET}@h1:1,h2:2/d`, /several hosts/],
    [`postgresql://app:${SECRET}@${HOST}:5432/d`, /port is 5432/],
    [`postgresql://app:${SECRET}@-h/d`, /host is not a host name/],
    [`postgresql://app:${SECRET}@%68%20x/d`, /host is not a host name/],
    [
      'postgresql://{user}:{password}@{cluster}-{4 digits}.{random}.cockroachlabs.cloud:{port}/{cluster}-{4 digits}.{database}',
      /placeholder/,
    ],
    [`postgresql://app:${SECRET}@<host>/d`, /host still has a placeholder/],
    [`postgresql://app:${SECRET}@h:<port>/d`, /port is still a placeholder/],
    [`postgresql://<user>:${SECRET}@h/d`, /user is still a placeholder/],
    [`postgresql://app:${SECRET}@h/<database>`, /dbname is still a placeholder/],
    [`postgresql://app:${SECRET}@h/d#x`, /raw #/],
    [`host=h password=a ${SECRET}`, /not keyword=value/],
    [`host=h password=a ${SECRET}=c`, /keyword 3 is an unknown word/],
    [`host=h pasword=${SECRET}`, /keyword 2 is "pasword"; did you mean "password"/],
    [`host=h password='${SECRET}`, /follows keyword 1/],
    [`host=h,i password=${SECRET}`, /several hosts/],
    [`host=h host=i password=${SECRET}`, /host is given twice/],
    [`host=postgresql://app:${SECRET}@h/d`, /host is a URL/],
    [`dbname=postgresql://app:${SECRET}@h/d`, /dbname is a URL/],
    [`host=h user= password=${SECRET}`, /keyword 2 has no value/],
    [`service=x password=${SECRET}`, /service/],
  ])('refuses %s', (text, message) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('the error has the origin: its code and its name', () => {
    expect(() => parseConnectionString('', { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' })).toThrow(
      expect.objectContaining({ code: 'ERR_SECRET_INVALID', message: 'secret "app/db": is empty' }),
    )
  })
})

describe('buildConnectionString', () => {
  const fields = {
    host: HOST,
    port: 26257,
    user: 'app',
    password: new Password('p@ss/w#rd'),
    dbname: 'cozy-otter-4821.defaultdb',
  }
  test.each<[string, ConnectionFields & { host: string; user: string; dbname: string }, string]>([
    [
      "the article's form",
      { ...fields, sslmode: 'verify-full', sslrootcert: '/opt/certs/root.crt' },
      `postgresql://app:p%40ss%2Fw%23rd@${HOST}:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=/opt/certs/root.crt`,
    ],
    [
      'all parameters, in order',
      {
        connect_timeout: 5,
        application_name: 'a b&c',
        options: '-c x=1',
        sslrootcert: '/r',
        sslmode: 'verify-full',
        host: 'h',
        user: 'u',
        dbname: 'd',
      },
      'postgresql://u@h/d?sslmode=verify-full&sslrootcert=/r&options=-c%20x%3D1&application_name=a%20b%26c&connect_timeout=5',
    ],
    ['a Unix socket', { host: '/tmp/pg', port: 5433, user: 'u', dbname: 'd' }, 'postgresql://u@%2Ftmp%2Fpg:5433/d'],
    ['an IPv6 address', { host: '::1', user: 'u', dbname: 'd' }, 'postgresql://u@[::1]/d'],
    [
      'an IPv6 address with zone',
      { host: 'fe80::1%eth0', user: 'u', dbname: 'd' },
      'postgresql://u@[fe80::1%25eth0]/d',
    ],
    ['quotes', { host: 'h', user: "o'hara", dbname: 'a/b+c' }, 'postgresql://o%27hara@h/a/b+c'],
  ])('writes %s', (_name, given, expected) => {
    expect(buildConnectionString(given)).toBe(expected)
  })

  test.each(['a\0', 'a\ud800'])('refuses %j, which no form can carry', (user) => {
    expect(() => buildConnectionString({ host: 'h', user, dbname: 'd' })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG' }),
    )
  })
})
