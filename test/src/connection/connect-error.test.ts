import { once } from 'node:events'
import { createConnection, type LookupFunction } from 'node:net'
import { inspect } from 'node:util'
import getPort from 'get-port'
import { DatabaseError } from 'pg'
import { describe, expect, test } from 'vitest'
import type { Backoff } from '../../../src/base/backoff.ts'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { Password } from '../../../src/base/password.ts'
import { ConnectFailure, connectError } from '../../../src/connection/connect-error.ts'
import type { ConnectionParameters } from '../../../src/connection/parameters.ts'

const PARAMETERS: ConnectionParameters = {
  ...{ host: 'db.example.com', port: 26257, dbname: 'defaultdb', user: 'app', sslmode: 'verify-full' },
}

/** What the server answers, as pg hands it on. */
function answer(code: string, message: string): Error {
  return Object.assign(new DatabaseError(message, message.length, 'error'), { code, severity: 'FATAL' })
}

function nodeError(code: string, message = `connect ${code} 10.0.0.1:26257`): Error {
  return Object.assign(new Error(message), { code })
}

/** How long to wait before another attempt. */
function retryOf(error: ConnectionError): Backoff | undefined {
  return error instanceof ConnectFailure ? error.retry : undefined
}

function outcome(error: unknown): readonly [string, boolean] {
  const mapped = connectError(error, PARAMETERS)
  expect(mapped).toMatchObject({ cause: error, hint: expect.stringMatching(/\S/), safeToRetry: true })
  return [mapped.code, retryOf(mapped) !== undefined]
}

describe('an answer of the server', () => {
  test.each([
    ['28P01', 'password authentication failed for user "app"', 'ERR_AUTHENTICATION', false],
    ['28000', 'no pg_hba.conf entry for host "10.0.0.1"', 'ERR_AUTHENTICATION', false],
    ['3D000', 'database "x" does not exist', 'ERR_CONFIG', false],
    ['53300', 'sorry, too many clients already', 'ERR_SERVER_REFUSED', true],
    ['53300', 'cluster connections are limited', 'ERR_SERVER_REFUSED', false],
    ['57P01', 'server is shutting down', 'ERR_SERVER_REFUSED', true],
    ['57P02', 'terminating connection because of crash of another server process', 'ERR_SERVER_REFUSED', true],
    ['57P03', 'the database system is starting up', 'ERR_SERVER_REFUSED', true],
    ['42501', 'permission denied for database "x"', 'ERR_SERVER_REFUSED', false],
    ['XX000', 'internal error', 'ERR_SERVER_REFUSED', false],
  ])('%s %s: %s', (code, message, expected, transient) => {
    expect(outcome(answer(code, message))).toEqual([expected, transient])
  })
})

describe.each(['08C00', '08004'])("CockroachDB Cloud's proxy with %s", (code) => {
  test.each([
    ['codeParamsRoutingFailed: missing cluster identifier', 'ERR_ROUTING', false],
    ['codeParamsRoutingFailed: missing cluster name in connection string', 'ERR_ROUTING', false],
    ["codeParamsRoutingFailed: invalid cluster identifier 'x'", 'ERR_ROUTING', false],
    ['codeParamsRoutingFailed: invalid database param', 'ERR_ROUTING', false],
    ['codeParamsRoutingFailed: multiple different cluster identifiers provided', 'ERR_ROUTING', false],
    ['codeParamsRoutingFailed: cluster cozy-otter-4821 not found', 'ERR_ROUTING', false],
    ['codeProxyRefusedConnection: connection refused', 'ERR_SERVER_REFUSED', false],
    ['codeProxyRefusedConnection: too many failed authentication attempts', 'ERR_SERVER_REFUSED', false],
    ['codeProxyRefusedConnection: connection attempt throttled', 'ERR_SERVER_REFUSED', false],
    ['codeUnavailable: cluster is not accepting connections', 'ERR_SERVER_REFUSED', true],
    ['server requires encryption', 'ERR_TLS', false],
  ])('%s: %s', (message, expected, transient) => {
    expect(outcome(answer(code, message))).toEqual([expected, transient])
  })

  test('the throttle and the allowlist have hints of their own', () => {
    const hint = (text: string) => connectError(answer(code, `codeProxyRefusedConnection: ${text}`), PARAMETERS).hint
    expect(hint('too many failed authentication attempts')).toContain('throttled')
    expect(hint('connection refused')).toContain('allowlist')
  })
})

describe("Node's errors", () => {
  test.each([
    ['SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS', false],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_TLS', false],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS', false],
    ['CERT_HAS_EXPIRED', 'ERR_TLS', false],
    ['CERT_NOT_YET_VALID', 'ERR_TLS', false],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS', false],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_TLS', false],
    ['CERT_REVOKED', 'ERR_TLS', false],
    ['EPROTO', 'ERR_TLS', false],
    ['ERR_PROTOCOL', 'ERR_CONNECT', false],
    ['ENOTFOUND', 'ERR_CONNECT', false],
    ['EAI_AGAIN', 'ERR_CONNECT', true],
    ['ECONNREFUSED', 'ERR_CONNECT', true],
    ['ECONNRESET', 'ERR_CONNECT', true],
    ['EPIPE', 'ERR_CONNECT', true],
    ['EHOSTUNREACH', 'ERR_CONNECT', false],
    ['ENETUNREACH', 'ERR_CONNECT', false],
    ['ETIMEDOUT', 'ERR_CONNECT', false],
    ['ENOENT', 'ERR_CONNECT', false],
    ['ESOMETHING', 'ERR_CONNECT', false],
  ])('%s: %s', (code, expected, transient) => {
    expect(outcome(nodeError(code))).toEqual([expected, transient])
  })
})

describe("pg's errors", () => {
  test.each([
    ['The server does not support SSL connections', 'ERR_TLS', false],
    ['There was an error establishing an SSL connection', 'ERR_TLS', false],
    ['Connection terminated due to connection timeout', 'ERR_CONNECT', false],
    ['timeout expired', 'ERR_CONNECT', false],
    ['Connection terminated unexpectedly', 'ERR_CONNECT', true],
    ['something new', 'ERR_CONNECT', false],
  ])('%s: %s', (message, expected, transient) => {
    expect(outcome(new Error(message))).toEqual([expected, transient])
  })
})

describe('running out of time', () => {
  test.each([
    ['before TCP is open', {}, 'a VPC without a NAT gateway'],
    ['before the server is verified', { tcpMs: 0 }, 'the server is silent'],
    ['in the login', { tcpMs: 0, tlsMs: 0 }, 'a paused cluster wakes up'],
  ])('%s has a hint of its own', (_stage, reached, hint) => {
    const error = connectError(new Error('timeout expired'), PARAMETERS, [], {
      tcpMs: undefined,
      tlsMs: undefined,
      ...reached,
    })
    expect(error).toMatchObject({ code: 'ERR_CONNECT', hint: expect.stringContaining(hint) })
  })
})

describe('the message', () => {
  test.each([
    [answer('28P01', 'password authentication failed'), 'password authentication failed (28P01)'],
    [nodeError('ECONNREFUSED', 'connect ECONNREFUSED 10.0.0.1:1'), 'connect ECONNREFUSED 10.0.0.1:1'],
    [new Error('timeout expired'), 'timeout expired'],
  ])('names target, user and reason: %s', (error, reason) => {
    expect(connectError(error, PARAMETERS).message).toBe(
      `connecting to db.example.com:26257 as "app" failed: ${reason}`,
    )
  })

  test('of several refused addresses names each', async () => {
    const port = await getPort()
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 }))
    const lookup: LookupFunction = (_host, _options, tell) => tell(null, addresses)
    const socket = createConnection({ host: 'two.example.com', port, lookup, autoSelectFamily: true })
    const [error] = await once(socket, 'error').catch((thrown: unknown) => [thrown])
    expect(error).toBeInstanceOf(AggregateError)
    expect(connectError(error, PARAMETERS)).toMatchObject({
      code: 'ERR_CONNECT',
      message: `connecting to db.example.com:26257 as "app" failed: connect ECONNREFUSED 127.0.0.1:${port}; connect ECONNREFUSED 127.0.0.2:${port}`,
    })
  })

  test('of something that is no error holds it as text', () => {
    expect(connectError('odd', PARAMETERS).message).toMatch(/failed: odd$/)
  })
})

describe('words of the server', () => {
  const NAMES = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf']

  test.each(NAMES)('SQLSTATE %s is one that is not known', (code) => {
    expect(connectError(answer(code, 'no'), PARAMETERS)).toMatchObject({
      ...{ code: 'ERR_SERVER_REFUSED', hint: 'The server was reached; the message is its own.' },
    })
    expect(connectError(nodeError(code), PARAMETERS)).toMatchObject({ code: 'ERR_CONNECT', hint: 'See the cause.' })
  })

  test('are cut in message and cause, and a routing message in front is still read', () => {
    const error = Object.assign(answer('08C00', 'codeParamsRoutingFailed: cluster '.repeat(250_000)), {
      ...{ detail: 'd'.repeat(8_000_000), hint: 'h'.repeat(8_000_000), where: '\u001b[2J' },
    })
    const mapped = connectError(error, PARAMETERS)
    expect(mapped.code).toBe('ERR_ROUTING')
    expect(mapped.message.length).toBeLessThan(1200)
    const printed = inspect(mapped, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
    expect(printed.length).toBeLessThan(20_000)
    expect(printed).not.toContain('\u001b')
  })

  test('hold no password, in message and cause', () => {
    const error = Object.assign(answer('28P01', 'p4ss w0rd is not the password'), {
      ...{ detail: 'p4ss%20w0rd', hint: Buffer.from('p4ss w0rd').toString('base64') },
    })
    const mapped = connectError(error, PARAMETERS, [undefined, new Password('p4ss w0rd')])
    expect(mapped).toMatchObject({
      code: 'ERR_AUTHENTICATION',
      message: 'connecting to db.example.com:26257 as "app" failed: [redacted] is not the password (28P01)',
      cause: { detail: '[redacted]', hint: '[redacted]', code: '28P01' },
    })
    expect(mapped.cause).toBeInstanceOf(DatabaseError)
    expect(mapped.cause).not.toBe(error)
  })
})

test('a ConnectionError stays as it is', () => {
  const error = new ConnectionError('ERR_DEADLINE', 'late')
  expect(connectError(error, PARAMETERS)).toBe(error)
  expect(retryOf(error)).toBeUndefined()
})

test.each([
  ['53300', 800],
  ['57P03', 100],
])('SQLSTATE %s is tried again after %i ms at most: a full server is asked less often', (code, baseMs) => {
  expect(retryOf(connectError(answer(code, 'sorry'), PARAMETERS))).toMatchObject({ baseMs })
})

test('a failed attempt prints as a ConnectionError, without what the pool does about it', () => {
  const printed = inspect(connectError(answer('57P03', 'starting up'), PARAMETERS), { showHidden: true })
  expect(printed).toMatch(
    /^ConnectionError: connecting to db\.example\.com:26257 as "app" failed: starting up \(57P03\)\n/,
  )
  expect(printed).not.toMatch(/retry:|baseMs/)
})
