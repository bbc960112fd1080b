import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import { mergeParameters } from '../../../src/connection/parameters.ts'
import type { ConnectionFields } from '../../../src/connection-string/fields.ts'
import type { DatabaseOptions } from '../../../src/settings/database-options.ts'
import { readSettings } from '../../../src/settings/settings.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const LOGIN = { user: 'app', password: new Password('p@ss') }

function merge(secret: ConnectionFields, environment: Record<string, string> = {}, options: DatabaseOptions = {}) {
  return mergeParameters(readSettings(options, { COCKROACH_SECRET_ID: 'app/db', ...environment }), secret)
}

test('a Cloud host alone is routed, with the port and database of the Cloud', () => {
  expect(merge({ ...LOGIN, host: HOST })).toEqual({
    parameters: {
      ...{ host: HOST, port: 26257, dbname: 'cozy-otter-4821.defaultdb', user: 'app', sslmode: 'verify-full' },
      cluster: 'cozy-otter-4821',
    },
    password: LOGIN.password,
    sslrootcert: undefined,
    clientCertificate: { sslcert: undefined, sslkey: undefined },
    warnings: [],
  })
})

test('another host keeps what it says, with the port and database of PostgreSQL', () => {
  const fields = { host: 'db.example.com', application_name: 'x', options: '-c a=b', connect_timeout: 3 }
  expect(merge({ ...LOGIN, ...fields }).parameters).toEqual({
    ...{ ...fields, port: 5432, dbname: 'app', user: 'app', sslmode: 'verify-full' },
  })
})

describe('precedence', () => {
  test.each<[keyof ConnectionFields & keyof DatabaseOptions, string, string, string, string]>([
    ['host', 'PGHOST', 'o.example.com', 's.example.com', 'e.example.com'],
    ['dbname', 'PGDATABASE', 'o', 's', 'e'],
    ['user', 'PGUSER', 'o', 's', 'e'],
    ['options', 'PGOPTIONS', '-c o=1', '-c s=1', '-c e=1'],
    ['application_name', 'PGAPPNAME', 'o', 's', 'e'],
  ])('of %s: option, secret, %s', (name, variable, option, secret, environment) => {
    const fields = { ...LOGIN, host: 'db.example.com' }
    const value = (...[secrets, variables, options]: Parameters<typeof merge>) =>
      Reflect.get(merge(secrets, variables, options).parameters, name)
    const withSecret: ConnectionFields = { ...fields, [name]: secret }
    const { [name]: _, ...withoutSecret } = withSecret
    expect(value(withSecret, { [variable]: environment }, { [name]: option })).toBe(option)
    expect(value(withSecret, { [variable]: environment })).toBe(secret)
    expect(value(withoutSecret, { [variable]: environment })).toBe(environment)
  })

  test.each([
    [{ port: 1 }, 2, '3', 1],
    [{}, 2, '3', 2],
    [{}, undefined, '3', 3],
    [{}, undefined, '', 5432],
  ])('of port: option %j, secret %j, PGPORT %j', (options, secret, PGPORT, expected) => {
    const fields = { ...LOGIN, host: 'db.example.com', ...(secret !== undefined && { port: secret }) }
    expect(merge(fields, { PGPORT }, options).parameters.port).toBe(expected)
  })

  test.each([
    [{ password: 'o' }, 's', 'o'],
    [{}, 's', 's'],
    [{}, undefined, 'e'],
  ])('of password: option %j, secret %j', (options, secret, expected) => {
    const fields = { host: 'h', user: 'u', ...(secret !== undefined && { password: new Password(secret) }) }
    expect(merge(fields, { PGPASSWORD: 'e' }, options).password?.reveal()).toBe(expected)
  })

  test.each<[DatabaseOptions, string | undefined, string, object | undefined]>([
    [{ sslrootcert: 'o.crt' }, 's.crt', 'e.crt', { value: 'o.crt', origin: 'option' }],
    [{}, 's.crt', 'e.crt', { value: 's.crt', origin: 'secret' }],
    [{}, undefined, 'e.crt', { value: 'e.crt', origin: 'PGSSLROOTCERT' }],
    [{}, undefined, '', undefined],
  ])('of sslrootcert: option %j, secret %j, PGSSLROOTCERT %j', (options, secret, PGSSLROOTCERT, expected) => {
    const fields = { ...LOGIN, host: 'h', ...(secret !== undefined && { sslrootcert: secret }) }
    expect(merge(fields, { PGSSLROOTCERT }, options).sslrootcert).toEqual(expected)
  })
})

describe('sslmode', () => {
  test('a weaker one in the secret is raised, with a warning', () => {
    const { parameters, warnings } = merge({ ...LOGIN, host: 'h', sslmode: 'require' })
    expect([parameters.sslmode, warnings.length]).toEqual(['verify-full', 1])
  })

  test('PGSSLMODE=disable does not weaken a secret that says nothing', () => {
    expect(() => merge({ ...LOGIN, host: HOST }, { PGSSLMODE: 'disable' })).toThrow(
      expect.objectContaining({ code: 'ERR_TLS' }),
    )
  })

  test('PGSSLMODE=disable is overruled by a secret that says verify-full', () => {
    const { parameters } = merge({ ...LOGIN, host: HOST, sslmode: 'verify-full' }, { PGSSLMODE: 'disable' })
    expect(parameters.sslmode).toBe('verify-full')
  })
})

describe('routing', () => {
  test('clusterRouting=options puts the identifier in front of the options', () => {
    const { parameters } = merge({ ...LOGIN, host: HOST, options: '-c a=b' }, {}, { clusterRouting: 'options' })
    expect(parameters).toMatchObject({ dbname: 'defaultdb', options: '--cluster=cozy-otter-4821 -c a=b' })
  })

  test('COCKROACH_CLUSTER names the cluster behind an IP address', () => {
    const fields = { ...LOGIN, host: '10.0.0.1', port: 26257, dbname: 'shop' }
    const { parameters } = merge(fields, { COCKROACH_CLUSTER: 'cozy-otter-4821' })
    expect(parameters).toMatchObject({ dbname: 'cozy-otter-4821.shop', cluster: 'cozy-otter-4821' })
  })

  test('a cluster that contradicts the host is refused', () => {
    expect(() => merge({ ...LOGIN, host: HOST }, { COCKROACH_CLUSTER: 'cozy-otter-4822' })).toThrow(
      expect.objectContaining({ code: 'ERR_ROUTING' }),
    )
  })
})

describe('port 5432 of a Cloud host is refused', () => {
  const FOUND = 'port is 5432, but hosts of CockroachDB Cloud listen on 26257'

  test.each<[string, ConnectionFields, Record<string, string>, DatabaseOptions, object]>([
    ['both in the secret', { host: HOST, port: 5432 }, {}, {}, { message: `secret "app/db": ${FOUND}` }],
    ['host of the secret, PGPORT', { host: HOST }, { PGPORT: '5432' }, {}, { message: `the environment: ${FOUND}` }],
    ['PGHOST, port of the secret', { port: 5432 }, { PGHOST: HOST }, {}, { code: 'ERR_SECRET_INVALID' }],
    ['host of the secret, option port', { host: HOST }, {}, { port: 5432 }, { message: `the options: ${FOUND}` }],
    ['option host, PGPORT', { host: 'h' }, { PGPORT: '5432' }, { host: HOST }, { code: 'ERR_CONFIG' }],
    ['host below crdb.io', { host: 'docstest-6qsh.aws-us-west-2.crdb.io', port: 5432 }, {}, {}, {}],
  ])('%s', (_name, secret, environment, options, expected) => {
    expect(() => merge({ ...LOGIN, ...secret }, environment, options)).toThrow(
      expect.objectContaining({ message: expect.stringContaining(FOUND), hint: expect.any(String), ...expected }),
    )
  })

  test('without a secret', () => {
    const settings = readSettings({}, { DATABASE_URL: `postgresql://app:p@${HOST}:5432/d` })
    expect(() => mergeParameters(settings, {})).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: `the environment: ${FOUND}` }),
    )
  })

  test('but not when another source overrules host or port', () => {
    expect(merge({ ...LOGIN, host: HOST, port: 5432 }, {}, { port: 26257 }).parameters.port).toBe(26257)
    expect(merge({ ...LOGIN, host: HOST, port: 5432 }, {}, { host: 'db.example.com' }).parameters.port).toBe(5432)
  })
})

describe('what is missing', () => {
  test.each<[ConnectionFields, string]>([
    [{}, 'host and user and password'],
    [{ host: HOST }, 'user and password'],
    [{ host: HOST, user: 'app' }, 'password'],
    [{ ...LOGIN }, 'host'],
  ])('in a secret with %j is one error', (fields, missing) => {
    expect(() => merge(fields)).toThrow(
      expect.objectContaining({
        code: 'ERR_SECRET_INVALID',
        message: `secret "app/db" holds no ${missing}, and neither do options and environment`,
        hint: expect.any(String),
      }),
    )
  })

  test('without a secret the environment is at fault, and no password is asked for', () => {
    const settings = readSettings({}, { PGHOST: 'db.example.com' })
    expect(() => mergeParameters(settings, {})).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message: 'the connection has no user' }),
    )
    expect(mergeParameters(readSettings({ user: 'app' }, { PGHOST: 'h' }), {}).password).toBeUndefined()
  })

  test('a Unix socket needs no password', () => {
    expect(merge({ host: '/var/run/postgresql', user: 'app' }).parameters).toMatchObject({ sslmode: 'disable' })
  })
})

describe('a client certificate', () => {
  const server = { host: 'db.example.com', user: 'app' }
  const key = new Password('/c.key')

  test('needs no password, and each half is of the first origin that has it', () => {
    const secret = { ...server, sslcert: '/secret.crt', sslkey: key }
    expect(merge(secret, { PGSSLCERT: '/e.crt', PGSSLKEY: '/e.key' }).clientCertificate).toEqual({
      sslcert: { value: '/secret.crt', origin: 'secret' },
      sslkey: { value: key, origin: 'secret' },
    })
    const { sslcert, sslkey } = merge({ ...server, sslkey: key }, { PGSSLCERT: '/e.crt' }).clientCertificate
    expect([sslcert?.origin, sslkey?.origin]).toEqual(['PGSSLCERT', 'secret'])
    expect(merge(secret, {}, { sslcert: '/o.crt' }).clientCertificate.sslcert).toEqual({
      value: '/o.crt',
      origin: 'option',
    })
  })

  test('is not used without TLS', () => {
    const secret = { ...server, host: '127.0.0.1', sslmode: 'disable', sslcert: '/c.crt', sslkey: key } as const
    expect(merge(secret).clientCertificate).toEqual({})
  })
})
