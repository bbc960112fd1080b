import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { JwtAuthentication } from '../../../local/cloud/jwt-authentication.ts'
import type { StsErrorCode } from '../../../local/sts/errors.ts'
import { type Clock, SYSTEM_CLOCK } from '../../../src/base/clock.ts'
import { Database } from '../../../src/database.ts'
import type { DatabaseOptions } from '../../../src/index.ts'
import { type JwtCloud, openJwtCloud } from '../../support/jwt.ts'
import { printed, rejection } from '../../support/product.ts'
import { SECRET_ACCESS_KEY } from '../../support/token-login.ts'

const MINUTE_MS = 60_000

let world: JwtCloud
let stderr: MockInstance<typeof process.stderr.write>
const opened: Database[] = []

beforeEach(async () => {
  world = await openJwtCloud()
  for (const [name, value] of Object.entries(world.environment)) vi.stubEnv(name, value)
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
  for (const token of world.sts.tokens) expect(stderr.mock.calls.join('\n')).not.toContain(token)
  stderr.mockRestore()
  vi.unstubAllEnvs()
  await world[Symbol.asyncDispose]()
})

/** A database without a secret. */
function open(changes: DatabaseOptions = {}, clock: Clock = SYSTEM_CLOCK): Database {
  const { cloud } = world
  const server = { host: cloud.host, port: cloud.standIn.port, user: cloud.user, dbname: 'defaultdb' }
  const database = new Database({ ...server, sslrootcert: cloud.authority.certificate, auth: 'jwt', ...changes }, clock)
  opened.push(database)
  return database
}

/** A database that opens a connection for each statement. */
const openForEach = (clock?: Clock): Database => open({ maxUses: 1 }, clock)

test('a token of STS logs in without a secret', async () => {
  const { rows } = await open().query('select current_user as user')
  expect(rows).toEqual([{ user: world.cloud.user }])
  expect(world.sts.tokens).toHaveLength(1)
})

test('the token is asked for while TCP and TLS are opened', async () => {
  const { counts } = world.cloud.standIn
  world.sts.beforeAnswer = async () => {
    await vi.waitUntil(() => counts.tls === 1, { timeout: 1500 })
  }
  await open().query('select 1')
  expect(world.sts.requestTimes).toHaveLength(1)
})

describe('a token', () => {
  let aheadMs = 0
  const clock: Clock = { ...SYSTEM_CLOCK, steadyNow: () => SYSTEM_CLOCK.steadyNow() + aheadMs }

  beforeEach(() => {
    aheadMs = 0
  })

  test('serves further connections until a minute before its end', async () => {
    const database = openForEach(clock)
    await database.query('select 1')
    aheadMs = 4 * MINUTE_MS - 10_000
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(1)
    aheadMs = 4 * MINUTE_MS
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(2)
  })

  test('is made anew after a freeze that outlasts it', async () => {
    const database = openForEach(clock)
    await database.query('select 1')
    aheadMs = 60 * MINUTE_MS
    expect((await database.query('select 1')).rowCount).toBe(1)
    expect(world.sts.tokens).toHaveLength(2)
  })

  test('whose answer was read after a freeze is not used', async () => {
    world.sts.beforeAnswer = async () => {
      aheadMs = world.sts.tokens.length === 0 ? 10 * MINUTE_MS : aheadMs
    }
    await open({}, clock).query('select 1')
    expect(world.sts.tokens).toHaveLength(2)
  })

  test('serves one connection where the clock is ahead of AWS by four minutes', async () => {
    world.sts.clockAheadMs = -4 * MINUTE_MS
    const database = openForEach()
    await database.query('select 1')
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(2)
  })

  test('of before a snapshot is not used after the restore', async () => {
    vi.stubEnv('AWS_LAMBDA_INITIALIZATION_TYPE', 'snap-start')
    const database = open()
    await database.query('select 1')
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(2)
    vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793')
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(3)
    await database.query('select 1')
    expect(world.sts.tokens).toHaveLength(3)
  })

  test('whose answer was read after the restore of a snapshot is not used', async () => {
    vi.stubEnv('AWS_LAMBDA_INITIALIZATION_TYPE', 'snap-start')
    world.sts.beforeAnswer = async () => {
      vi.stubEnv('_X_AMZN_TRACE_ID', 'Root=1-5759e988-bd862e3fe1be46a994272793')
    }
    await open().query('select 1')
    expect(world.sts.tokens).toHaveLength(2)
  })

  test('is for the audience of option jwtAudience', async () => {
    world.cluster.settings.audiences = ['orders']
    world.sts.policy = { audiences: ['orders'], mostSeconds: 300, signingAlgorithm: 'ES384' }
    expect((await open({ jwtAudience: 'orders' }).query('select 1')).rowCount).toBe(1)
  })

  test('is printed nowhere, and the health report says that it was one', async () => {
    const database = open()
    const report = await database.healthCheck()
    expect(report).toMatchObject({ ok: true, connection: { auth: 'jwt' } })
    const client = await database.getClient()
    const seen = [report, client, client.openedWith, database.getPool(), database]
    client.release()
    for (const value of seen) expect(printed(value)).not.toContain(world.sts.tokens[0])
  })

  test('is in connectionString(), which warns', async () => {
    const text = await open().connectionString()
    expect(text).toContain(String(world.sts.tokens[0]))
    expect(new URL(text).searchParams.get('options')).toBe('--crdb:jwt_auth_enabled=true')
    expect(stderr.mock.calls.join('\n')).toContain('"kind":"connection-string"')
  })
})

describe('with', () => {
  test.each([
    [{ clusterRouting: 'options' }, '--cluster=cozy-otter-4821 --crdb:jwt_auth_enabled=true'],
    [{ options: '-c statement_timeout=1000' }, '-c statement_timeout=1000 --crdb:jwt_auth_enabled=true'],
    [{ options: '--crdb:jwt_auth_enabled=true' }, '--crdb:jwt_auth_enabled=true'],
  ] as const)('%j the flag is added to the options', async (changes, options) => {
    const database = open(changes)
    expect((await database.query('select 1')).rowCount).toBe(1)
    const client = await database.getClient()
    expect(client.openedWith?.parameters.options).toBe(options)
    client.release()
  })

  test('PGPASSWORD the token is used, and a warning says so', async () => {
    vi.stubEnv('PGPASSWORD', 'stored-p4ssword')
    expect((await open().query('select 1')).rowCount).toBe(1)
    expect(stderr.mock.calls.join('\n')).toContain('the password of the secret or of PGPASSWORD is not used')
  })

  test('the variables alone it logs in', async () => {
    const { cloud } = world
    vi.stubEnv('COCKROACH_AUTH', 'jwt')
    vi.stubEnv('COCKROACH_JWT_AUDIENCE', 'orders')
    vi.stubEnv('PGHOST', cloud.host)
    vi.stubEnv('PGPORT', String(cloud.standIn.port))
    vi.stubEnv('PGUSER', cloud.user)
    vi.stubEnv('PGDATABASE', 'defaultdb')
    vi.stubEnv('PGSSLROOTCERT', cloud.authority.certificate)
    world.cluster.settings.audiences = ['orders']
    const database = new Database({})
    opened.push(database)
    expect((await database.query('select 1')).rowCount).toBe(1)
  })
})

describe('a refusal of the cluster names the setting to change:', () => {
  /** By CockroachDB's words: what is wrong in the cluster, and the hint. */
  const REFUSALS: readonly (readonly [string, (world: JwtCloud) => void, RegExp, number])[] = [
    [
      'not enabled',
      ({ cluster }) => {
        cluster.settings.enabled = false
      },
      /jwt_authentication\.enabled = true/,
      1,
    ],
    [
      'invalid token',
      ({ cluster }) => {
        cluster.clockAheadMs = 10 * MINUTE_MS
      },
      /clock of the cluster/,
      2,
    ],
    [
      'invalid issuer',
      ({ cluster }) => {
        cluster.settings.issuers = ['https://other.example']
      },
      /issuers\.configuration/,
      1,
    ],
    [
      'unable to validate token',
      ({ cluster }) => {
        cluster.settings.keySetUrl = 'http://127.0.0.1:1/'
      },
      /jwks_auto_fetch/,
      1,
    ],
    [
      'missing claim',
      ({ cluster }) => {
        cluster.settings.claim = 'email'
      },
      /jwt_authentication\.claim empty/,
      1,
    ],
    [
      'invalid claim value',
      ({ cluster }) => {
        cluster.settings.claim = 'exp'
      },
      /jwt_authentication\.claim empty/,
      1,
    ],
    [
      'invalid principal',
      ({ cluster }) => {
        cluster.settings.identityMap = []
      },
      /Map the ARN .*identity_map/,
      1,
    ],
    [
      'invalid identity',
      ({ cluster }) => {
        cluster.settings.identityMap = cluster.settings.identityMap.map((line) => ({ ...line, user: 'other' }))
      },
      /to another SQL user/,
      1,
    ],
    [
      'invalid audience',
      ({ cluster, cloud }) => {
        cluster.settings.audiences = [`${cloud.host}.other`]
      },
      /jwt_authentication\.audience.*: cozy-otter/,
      1,
    ],
  ]

  test.each(REFUSALS)('%s', async (words, change, hint, logins) => {
    change(world)
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({
      code: 'ERR_AUTHENTICATION',
      message: expect.stringContaining(`JWT authentication: ${words}`),
      hint: expect.stringMatching(hint),
      safeToRetry: true,
    })
    expect(world.cloud.standIn.counts.logins).toBe(logins)
    for (const token of world.sts.tokens) expect(printed(error)).not.toContain(token)
  })

  test('a user that the cluster does not have', async () => {
    world.cloud.standIn.exchangePassword = new JwtAuthentication(world.cluster.settings, new Map()).exchange
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', hint: 'Does the SQL user exist, and may it log in?' })
    expect(world.cloud.standIn.counts.logins).toBe(1)
  })
})

test('a refused token is replaced once', async () => {
  const database = openForEach()
  await database.query('select 1')
  await world.sts.issuer.replaceKey()
  await database.query('select 1')
  expect(world.sts.tokens).toHaveLength(2)
  expect(world.cloud.standIn.counts.logins).toBe(3)
})

test('logins are blocked after a refusal, whatever the token, and STS is not asked', async () => {
  world.cluster.settings.audiences = []
  const database = open()
  const other = open()
  await rejection(database.query('select 1'))
  for (const each of [database, other]) {
    const error = await rejection(each.query('select 1'))
    expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', message: expect.stringContaining('not tried again for') })
  }
  expect(world.cloud.standIn.counts.logins).toBe(1)
  expect(world.sts.requestTimes).toHaveLength(1)
})

describe('the token is not sent', () => {
  test('as an answer to SCRAM, which a server begins that does not know the flag', async () => {
    await world.cloud.postgres.query(`revoke asked_in_clear_text from ${world.cloud.user}`)
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({
      code: 'ERR_CONNECT',
      message: 'the server asks for a login by scram-sha-256, and not for the token',
      hint: expect.stringContaining('server.jwt_authentication.enabled'),
    })
    expect(world.cloud.standIn.counts.logins).toBe(0)
  })

  test('without TLS, on loopback either', async () => {
    const { postgres, port, database: dbname, user } = world.cloud
    const error = await rejection(open({ host: '127.0.0.1', port, dbname, user, sslmode: 'disable' }).query('select 1'))
    expect(error.code).toBe('ERR_TLS')
    expect(await postgres.sessions({ user })).toEqual([])
  })

  test('to another host than loopback with sslmode=disable', async () => {
    const error = await rejection(open({ host: 'db.example.com', sslmode: 'disable' }).query('select 1'))
    expect(error.code).toBe('ERR_TLS')
    expect(world.sts.requestTimes).toEqual([])
  })
})

describe('STS that', () => {
  test.each<[StsErrorCode, RegExp, number]>([
    ['AccessDenied', /Allow sts:GetWebIdentityToken/, 1],
    ['OutboundWebIdentityFederationDisabled', /aws iam enable-outbound-web-identity-federation/, 1],
    ['SessionDurationEscalation', /session ends before/, 1],
    ['JWTPayloadSizeExceeded', /too many tags/, 1],
    ['ExpiredToken', /still valid/, 1],
    ['InvalidClientTokenId', /still valid/, 1],
    ['Throttling', /throttles or fails/, 3],
    ['InternalFailure', /throttles or fails/, 3],
    ['ServiceUnavailable', /throttles or fails/, 3],
  ])('answers %s is one error with what to change', async (fault, hint, requests) => {
    world.sts.failWith(fault)
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({
      code: 'ERR_PASSWORD_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`^GetWebIdentityToken failed: ${fault} \\(\\d+\\): \\S`)),
      hint: expect.stringMatching(hint),
      safeToRetry: true,
    })
    expect(world.sts.requestTimes).toHaveLength(requests)
    expect(printed(error)).not.toContain(SECRET_ACCESS_KEY)
    expect(world.cloud.standIn.counts.logins).toBe(0)
  })

  test.each(['Throttling', 'InternalFailure', 'connection reset'] as const)(
    'fails with %s is asked again',
    async (fault) => {
      world.sts.failNext(2, fault)
      expect((await open().query('select 1')).rowCount).toBe(1)
      expect(world.sts.requestTimes).toHaveLength(3)
    },
  )

  test('is silent once is asked again', async () => {
    world.sts.failNext(1, 'silence')
    expect((await open().query('select 1')).rowCount).toBe(1)
  })

  test('takes a second and a half is waited for', async () => {
    world.sts.delayMs = 1500
    expect((await open().query('select 1')).rowCount).toBe(1)
    expect(world.sts.requestTimes).toHaveLength(1)
  })

  test('is down is the error', async () => {
    await world.sts.stop()
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({
      code: 'ERR_PASSWORD_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
      hint: expect.stringContaining('interface endpoint'),
    })
  })

  test('has another time is the error, with the clock in the hint', async () => {
    world.sts.clockAheadMs = 10 * MINUTE_MS
    const error = await rejection(open().query('select 1'))
    expect(error).toMatchObject({
      message: expect.stringContaining('Signature expired'),
      hint: expect.stringContaining('clock right'),
    })
  })

  test('is silent is the error within the time for connecting, and the next statement asks again', async () => {
    world.sts.failWith('silence')
    const database = open()
    const startedAt = performance.now()
    expect((await rejection(database.query('select 1'))).code).toBe('ERR_PASSWORD_UNAVAILABLE')
    expect(performance.now() - startedAt).toBeLessThan(6000)
    world.sts.failWith(undefined)
    expect((await database.query('select 1')).rowCount).toBe(1)
  })
})

test('outside a function there are no keys of a role', async () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', '')
  const error = await rejection(open().query('select 1'))
  expect(error).toMatchObject({ code: 'ERR_CONFIG', hint: expect.stringContaining('option password') })
})
