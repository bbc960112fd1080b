import { DatabaseError } from 'pg'
import { describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { endsSession, mayBeRepeated, statementError } from '../../../src/pool/statement-error.ts'

const LOST = 'the connection was lost while a statement was under way'

describe('a broken connection is ERR_CONNECTION_LOST', () => {
  test.each([
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
  ])('safe to retry, since nothing was sent: %s', (message) => {
    const cause = new Error(message)
    expect(statementError(cause)).toMatchObject({
      code: 'ERR_CONNECTION_LOST',
      message: `the connection was lost before the statement was sent: ${message}`,
      safeToRetry: true,
      cause,
    })
  })

  test.each<readonly [string, string | undefined]>([
    ['Connection terminated unexpectedly', undefined],
    ['Connection terminated', undefined],
    ...[
      'ECONNRESET',
      'EPIPE',
      'ETIMEDOUT',
      'ECONNABORTED',
      'EPROTO',
      'ERR_PROTOCOL',
      'EHOSTUNREACH',
      'ENETUNREACH',
      'ENETDOWN',
    ].map((code) => [`read ${code}`, code] as const),
  ])('not safe to retry: %s', (message, code) => {
    const cause = Object.assign(new Error(message), code === undefined ? {} : { code })
    expect(statementError(cause)).toMatchObject({
      code: 'ERR_CONNECTION_LOST',
      message: `${LOST}: ${message}`,
      safeToRetry: false,
      cause,
    })
  })
})

describe('everything else stays as it is', () => {
  test.each([
    ['an answer of the server', new DatabaseError('Connection terminated unexpectedly', 0, 'error')],
    ['a ConnectionError', new ConnectionError('ERR_DEADLINE', 'late')],
    ['an error of the caller', new TypeError('Connection terminated unexpectedly, perhaps')],
    ['another code', Object.assign(new Error('no'), { code: 'ERR_INVALID_ARG_TYPE' })],
    ['no error at all', 'Connection terminated unexpectedly'],
    ['undefined', undefined],
  ])('%s', (_, error) => {
    expect(statementError(error)).toBe(error)
  })
})

const serverError = (code: string): DatabaseError => Object.assign(new DatabaseError('no', 0, 'error'), { code })

test.each([
  [serverError('57P01'), true],
  [serverError('57P05'), true],
  [serverError('08006'), true],
  [serverError('57014'), false],
  [serverError('40001'), false],
  [serverError('108006'), false],
  [new DatabaseError('no', 0, 'error'), false],
  [Object.assign(new Error('no'), { code: '57P01' }), false],
  [undefined, false],
])('%s ends the session: %s', (error, expected) => {
  expect(endsSession(error)).toBe(expected)
})

const lost = (safeToRetry: boolean) => new ConnectionError('ERR_CONNECTION_LOST', 'lost', { safeToRetry })

test.each<readonly [string, unknown, boolean, boolean]>([
  ['lost before it was sent', lost(true), true, true],
  ['lost under way', lost(false), false, true],
  ['ended by the server', serverError('57P01'), false, true],
  ['refused by the server', serverError('23505'), false, false],
  ['past the deadline', new ConnectionError('ERR_DEADLINE', 'late'), false, false],
  ['past the deadline, unsent', new ConnectionError('ERR_DEADLINE', 'late', { safeToRetry: true }), false, false],
])('a statement that was %s may be repeated', (_, error, always, ifIdempotent) => {
  expect([mayBeRepeated(error, false), mayBeRepeated(error, true)]).toEqual([always, ifIdempotent])
})
