import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../../../src/connection-string/parse.ts'
import { CLOUD_HOST, type PlainFields, read, refusalOf, SECRET } from '../../support/connection-string.ts'

const APP = { user: 'app', password: 'pw', host: 'db.example.com', port: 5433, dbname: 'orders' }

describe('forms', () => {
  test.each<[string, PlainFields]>([
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
      `postgresql://app:pw@${CLOUD_HOST}:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=$HOME/.postgresql/root.crt`,
      {
        user: 'app',
        password: 'pw',
        host: CLOUD_HOST,
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
    [`postgresql://${CLOUD_HOST}/d?sslnegotiation=postgres&ssl=true`, { host: CLOUD_HOST, dbname: 'd' }],
    ['postgresql://h/d?sslMode=verify-ca', { host: 'h', dbname: 'd', sslmode: 'verify-ca' }],
    ['postgresql://h/d?sslmode=', { host: 'h', dbname: 'd' }],
  ])('%s', (text, expected) => {
    expect(read(text)).toStrictEqual(expected)
  })
})

describe('bad strings', () => {
  test.each([
    ['', /is empty/],
    ['   ', /is empty/],
    ['"\'\'"', /is empty/],
    ['hello', /neither a URL/],
    [`mysql://app:${SECRET}@h/d`, /not a PostgreSQL URL/],
    [`https://app:${SECRET}@h/d`, /not a PostgreSQL URL/],
    [`app:${SECRET}@h:26257/d`, /no scheme/],
    [`postgresql:app:${SECRET}@h/d`, /without "\/\/"/],
    ['jdbc:postgresql:orders', /without "\/\/"/],
    [`CCDB1_${SECRET}`, /API key/],
    ['-----BEGIN CERTIFICATE-----', /certificate/],
    [`PGHOST=h\nPGPASSWORD=${SECRET}`, /environment variables/],
    [`Host=h;Username=app;Password=${SECRET};Database=d`, /ADO\.NET/],
    [`postgresql://app:${SECRET}@h:x/d`, /host and port cannot be found/],
    [`postgresql://app:${SECRET}`, /host and port cannot be found/],
    [`postgresql://app:${SECRET}@h:0/d`, /port is 0/],
    [`postgresql://app:${SECRET}@h:65536/d`, /port is 65536/],
    [`postgresql://app:${SECRET}@h1,h2/d`, /several hosts/],
    [`postgresql://app:${SECRET}@h1:1,h2:2/d`, /several hosts/],
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
    expect(refusalOf(() => read(text))).toMatchObject({
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
