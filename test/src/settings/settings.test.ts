import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import type { DatabaseOptions } from '../../../src/settings/database-options.ts'
import { readSettings } from '../../../src/settings/settings.ts'
import { type Environment, problemsOf, readNow, WITH_SECRET } from '../../support/settings.ts'

const URL_TEXT = 'postgresql://app:p%40ss%2Fw%23rd@db.example.com:5433/shop?sslmode=verify-full'

test('the defaults', () => {
  expect(readSettings({}, WITH_SECRET)).toEqual({
    secretId: 'app/db',
    secretKey: undefined,
    secretTtlMs: 300_000,
    clusterRouting: 'database',
    auth: 'password',
    jwtAudience: undefined,
    passwordFunction: undefined,
    max: 1,
    gracefulShutdown: false,
    deadlineMarginMs: 500,
    metrics: 'off',
    poolOptions: {},
    readyTimeoutMs: 3000,
    options: {},
    environment: {},
    passedOver: undefined,
    warnings: [],
    platform: {
      isLambda: false,
      isSmall: false,
      home: undefined,
      functionModule: undefined,
      runtimeApi: undefined,
      sessionToken: expect.any(Function),
      secretsExtensionPort: undefined,
      roleAccess: expect.any(Function),
      stsAccess: expect.any(Function),
      isManagedInstances: false,
      isBeforeSnapshot: expect.any(Function),
    },
  })
})

test('settings cannot be changed afterwards', () => {
  expect(readSettings({}, WITH_SECRET)).toSatisfy(Object.isFrozen)
})

describe('environment variables', () => {
  test.each<[Environment, object]>([
    [{ COCKROACH_SECRET_KEY: 'url' }, { secretKey: 'url' }],
    [{ COCKROACH_SECRET_TTL_SECONDS: '0' }, { secretTtlMs: 0 }],
    [{ COCKROACH_SECRET_TTL_SECONDS: ' 60 ' }, { secretTtlMs: 60_000 }],
    [{ COCKROACH_CLUSTER: 'cozy-otter-4821' }, { environment: { cluster: 'cozy-otter-4821' } }],
    [{ COCKROACH_CLUSTER_ROUTING: 'sni' }, { clusterRouting: 'sni' }],
    [{ COCKROACH_MAX_CONNECTIONS: '5' }, { max: 5 }],
    [{ COCKROACH_DEADLINE_MARGIN_MS: '750' }, { deadlineMarginMs: 750 }],
    [{ COCKROACH_READY_TIMEOUT_MS: '0' }, { readyTimeoutMs: 0 }],
    [{ COCKROACH_GRACEFUL_SHUTDOWN: 'true' }, { gracefulShutdown: true }],
    [{ COCKROACH_GRACEFUL_SHUTDOWN: 'TRUE' }, { gracefulShutdown: true }],
    [{ COCKROACH_GRACEFUL_SHUTDOWN: '1' }, { gracefulShutdown: true }],
    [{ COCKROACH_GRACEFUL_SHUTDOWN: '0' }, { gracefulShutdown: false }],
    [{ AWS_LAMBDA_MAX_CONCURRENCY: '2' }, { max: 2, platform: { isManagedInstances: true } }],
    [{ AWS_LAMBDA_MAX_CONCURRENCY: '64' }, { max: 4 }],
    [{ AWS_LAMBDA_MAX_CONCURRENCY: '64', COCKROACH_MAX_CONNECTIONS: '9' }, { max: 9 }],
    [{ HOME: '/root' }, { platform: { home: '/root' } }],
    [{ USERPROFILE: 'C:\\Users\\me' }, { platform: { home: 'C:\\Users\\me' } }],
    [{ AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9001' }, { platform: { runtimeApi: '127.0.0.1:9001' } }],
    [{ PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: '2774' }, { platform: { secretsExtensionPort: 2774 } }],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'orders' }, { platform: { functionName: 'orders', isLambda: true } }],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'orders', PGAPPNAME: 'mine' }, { environment: { application_name: 'mine' } }],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'orders', PGAPPNAME: '' }, { platform: { functionName: 'orders' } }],
  ])('%j', (environment, expected) => {
    expect(readSettings({}, { ...WITH_SECRET, ...environment })).toMatchObject(expected)
  })

  test("libpq's own", () => {
    const { environment } = readSettings(
      {},
      {
        ...{ PGHOST: 'db.example.com', PGPORT: '5433', PGDATABASE: 'shop', PGUSER: 'app', PGPASSWORD: 'p@ss' },
        ...{ PGSSLMODE: 'require', PGSSLROOTCERT: '~/root.crt', PGOPTIONS: '-c a=b', PGAPPNAME: 'x' },
        ...{ PGCONNECT_TIMEOUT: '7', PGSSLNEGOTIATION: 'postgres' },
      },
    )
    expect(environment.password?.reveal()).toBe('p@ss')
    expect({ ...environment, password: undefined }).toEqual({
      ...{ host: 'db.example.com', port: 5433, dbname: 'shop', user: 'app', password: undefined },
      ...{ sslmode: 'require', sslrootcert: '~/root.crt', options: '-c a=b', application_name: 'x' },
      connect_timeout: 7,
    })
  })

  test('an empty variable counts as unset', () => {
    const names = [
      ...['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER', 'PGPASSWORD', 'PGSSLMODE', 'PGSSLROOTCERT', 'PGOPTIONS'],
      ...['PGAPPNAME', 'PGCONNECT_TIMEOUT', 'PGSSLNEGOTIATION', 'DATABASE_URL', 'COCKROACH_CLUSTER'],
      ...['COCKROACH_SECRET_KEY', 'COCKROACH_SECRET_TTL_SECONDS', 'COCKROACH_CLUSTER_ROUTING', 'HOME'],
      ...['COCKROACH_MAX_CONNECTIONS', 'COCKROACH_GRACEFUL_SHUTDOWN', 'COCKROACH_DEADLINE_MARGIN_MS'],
      ...['AWS_LAMBDA_FUNCTION_NAME', 'AWS_LAMBDA_MAX_CONCURRENCY', 'AWS_SESSION_TOKEN', 'AWS_LAMBDA_RUNTIME_API'],
      'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT',
    ]
    const empty = Object.fromEntries(names.map((name) => [name, '']))
    expect(readNow({}, { ...empty, ...WITH_SECRET })).toEqual(readNow({}, WITH_SECRET))
  })
})

describe('where the connection is named', () => {
  test('DATABASE_URL is read when there is no secret, over the PG variables', () => {
    const { secretId, environment } = readSettings({}, { DATABASE_URL: URL_TEXT, PGUSER: 'other', PGAPPNAME: 'x' })
    expect(secretId).toBeUndefined()
    expect(environment).toMatchObject({ host: 'db.example.com', port: 5433, user: 'app', application_name: 'x' })
    expect(environment.password?.reveal()).toBe('p@ss/w#rd')
  })

  test('DATABASE_URL is passed over beside a secret, whatever it is', () => {
    expect(readSettings({}, { ...WITH_SECRET, DATABASE_URL: 'no string at all' })).toMatchObject({
      ...{ environment: {}, warnings: [], passedOver: {} },
    })
    const { environment, passedOver } = readSettings({}, { ...WITH_SECRET, DATABASE_URL: URL_TEXT })
    expect([environment, passedOver?.host]).toEqual([{}, 'db.example.com'])
  })

  test('an empty COCKROACH_SECRET_ID leaves DATABASE_URL', () => {
    const { secretId, environment } = readSettings({}, { COCKROACH_SECRET_ID: '', DATABASE_URL: URL_TEXT })
    expect([secretId, environment.host]).toEqual([undefined, 'db.example.com'])
  })

  test('option secretId wins over COCKROACH_SECRET_ID', () => {
    expect(readSettings({ secretId: 'mine' }, WITH_SECRET).secretId).toBe('mine')
  })

  test('option connectionString takes the place of the secret and of DATABASE_URL', () => {
    const settings = readSettings({ connectionString: URL_TEXT }, { ...WITH_SECRET, DATABASE_URL: 'no string at all' })
    expect([settings.secretId, settings.options.host]).toEqual([undefined, 'db.example.com'])
  })

  test('single options win over option connectionString', () => {
    const { options } = readSettings({ connectionString: URL_TEXT, user: 'admin', password: 'new', port: 26257 }, {})
    expect(options).toMatchObject({ host: 'db.example.com', port: 26257, user: 'admin', dbname: 'shop' })
    expect(options.password?.reveal()).toBe('new')
  })

  test.each([
    [{}, 'not set'],
    [{ COCKROACH_SECRET_ID: '' }, 'empty'],
    [{ PGUSER: 'app', PGPASSWORD: 'x' }, 'not set'],
  ])('nothing that names a server is an error: %j', (environment, state) => {
    expect(problemsOf({}, environment)).toBe(
      `no secret and no server: COCKROACH_SECRET_ID is ${state}, and neither are DATABASE_URL and PGHOST`,
    )
  })
})

describe('options win over environment variables', () => {
  test.each<[DatabaseOptions, Environment, object]>([
    [{ secretKey: 'a' }, { COCKROACH_SECRET_KEY: 'b' }, { secretKey: 'a' }],
    [{ secretTtlSeconds: 0 }, { COCKROACH_SECRET_TTL_SECONDS: '9' }, { secretTtlMs: 0 }],
    [{ clusterRouting: 'options' }, { COCKROACH_CLUSTER_ROUTING: 'sni' }, { clusterRouting: 'options' }],
    [{ max: 2 }, { COCKROACH_MAX_CONNECTIONS: '3' }, { max: 2 }],
    [{ gracefulShutdown: false }, { COCKROACH_GRACEFUL_SHUTDOWN: 'true' }, { gracefulShutdown: false }],
    [{ deadlineMarginMs: 100 }, { COCKROACH_DEADLINE_MARGIN_MS: '900' }, { deadlineMarginMs: 100 }],
  ])('%j over %j', (options, environment, expected) => {
    expect(readSettings(options, { ...WITH_SECRET, ...environment })).toMatchObject(expected)
  })
})

describe('bad settings', () => {
  test.each<[Environment, string]>([
    [{ COCKROACH_SECRETID: 'x' }, 'unknown environment variable COCKROACH_SECRETID; did you mean COCKROACH_SECRET_ID?'],
    [
      { COCKROACH_MAX_CONNECTION: '' },
      'unknown environment variable COCKROACH_MAX_CONNECTION; did you mean COCKROACH_MAX_CONNECTIONS?',
    ],
    ...['COCKROACHDB_SECRET_ID', 'COCKROCH_SECRET_ID', 'cockroach_secret_id', 'COCKROACH_SECRET_DI'].map(
      (name): [Environment, string] => [
        { [name]: 'x' },
        `unknown environment variable ${name}; did you mean COCKROACH_SECRET_ID?`,
      ],
    ),
  ])('%j', (environment, message) => {
    expect(problemsOf({}, { ...WITH_SECRET, ...environment })).toBe(message)
  })

  test.each([
    // Kubernetes, for a service of the name cockroach, cockroach-cluster or cockroach-secret
    ...['', 'CLUSTER_', 'SECRET_'].flatMap((service) =>
      ['SERVICE_HOST', 'SERVICE_PORT', 'SERVICE_PORT_GRPC', 'PORT', 'PORT_26257_TCP', 'PORT_26257_TCP_ADDR'].map(
        (name) => `COCKROACH_${service}${name}`,
      ),
    ),
    // CockroachDB's command line and image, Terraform's provider, and what applications call their own
    ...['URL', 'USER', 'PASSWORD', 'API_KEY', 'HOST', 'DATABASE', 'CERTS_DIR', 'INSECURE', 'CERT', 'SERVER'],
    ...['MAX_OFFSET', 'SKIP_ENABLING_DIAGNOSTIC_REPORTING', 'CHANNEL', 'LICENSE', 'ORGANIZATION', 'ARGS'],
    ...['CLUSTER_ID', 'CLUSTER_NAME', 'SECRET', 'SECRET_ARN', 'SECRET_NAME', 'DB', 'TOKEN', 'CA_CERT', 'POOL_MAX'],
  ])('another program’s variable is not looked at: %s', (name) => {
    const variable = name.startsWith('COCKROACH_') ? name : `COCKROACH_${name}`
    expect(readNow({}, { ...WITH_SECRET, [variable]: 'tcp://10.0.0.5:26257' })).toEqual(readNow({}, WITH_SECRET))
  })

  test('all of them are reported at once', () => {
    const message = problemsOf(
      { usr: 'x', port: 0, connectionString: 'nonsense' },
      { COCKROACH_SECRETS_ID: 'x', PGPORT: 'ten', PGCONNECT_TIMEOUT: 'soon', COCKROACH_MAX_CONNECTIONS: '-1' },
    )
    expect(message.split('; ').join('\n')).toMatch(
      /unknown option "usr"[\s\S]+option port is 0[\s\S]+COCKROACH_SECRETS_ID\b[\s\S]+option connectionString[\s\S]+PGPORT[\s\S]+PGCONNECT_TIMEOUT[\s\S]+COCKROACH_MAX_CONNECTIONS/,
    )
  })

  test('an unreadable DATABASE_URL is reported by itself: it is set, so "no server" would be wrong', () => {
    const message = problemsOf({}, { DATABASE_URL: 'postgresql:/app:p4ssw0rd@host/db' })
    expect(message).toContain('DATABASE_URL')
    expect(message).not.toContain('no secret and no server')
  })

  test.each<[string, object, Environment]>([
    ['DATABASE_URL', {}, { DATABASE_URL: 'postgresql://app:p4ssw0rd@host:port/db' }],
    ['option connectionString', { connectionString: 'app:p4ssw0rd@host' }, {}],
    ['option password of a wrong kind', { password: ['p4ssw0rd'], host: 'h' }, {}],
    ['PGPASSWORD beside another problem', {}, { PGHOST: 'h', PGPASSWORD: 'p4ssw0rd', PGPORT: 'x' }],
  ])('no password is shown: %s', (_, options, environment) => {
    try {
      readSettings(options as DatabaseOptions, environment)
      throw new Error('these settings were accepted')
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_CONFIG' })
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('p4ssw0rd')
    }
  })
})
