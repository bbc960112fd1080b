import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import { LoginGuard } from '../../../src/connection/login-guard.ts'

const MINUTE_MS = 60_000

function login(password: string | undefined, changes: { host?: string; user?: string } = {}) {
  return { host: 'h', user: 'u', password: password === undefined ? undefined : new Password(password), ...changes }
}

test('nothing is blocked at first', () => {
  expect(new LoginGuard().waitMs(login('a'), 0)).toBe(0)
})

describe('a refused login', () => {
  test('waits a minute, then twice as long each time, a quarter of an hour at most', () => {
    const guard = new LoginGuard()
    const waits = Array.from({ length: 6 }, () => {
      guard.refuse([login('a')], 1000)
      return guard.waitMs(login('a'), 1000) / MINUTE_MS
    })
    expect(waits).toEqual([1, 2, 4, 8, 15, 15])
  })

  test('waits less as time goes by', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    expect([1, MINUTE_MS - 1, MINUTE_MS, 2 * MINUTE_MS].map((now) => guard.waitMs(login('a'), now))).toEqual([
      ...[MINUTE_MS - 1, 1, 0, 0],
    ])
  })

  test.each([
    ['password', login('b')],
    ['user', login('a', { user: 'other' })],
    ['host', login('a', { host: 'other' })],
    ['password, none at all', login(undefined)],
  ])('with another %s does not wait', (_, other) => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    expect(guard.waitMs(other, 0)).toBe(0)
  })

  test('without a password waits too', () => {
    const guard = new LoginGuard()
    guard.refuse([login(undefined)], 0)
    expect(guard.waitMs(login(undefined), 0)).toBe(MINUTE_MS)
  })

  test('the old and the changed password are both blocked', () => {
    const guard = new LoginGuard()
    guard.refuse([login('old'), login('new')], 0)
    expect([guard.waitMs(login('old'), 0), guard.waitMs(login('new'), 0)]).toEqual([MINUTE_MS, MINUTE_MS])
  })

  test('a changed password starts with a minute again', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    guard.refuse([login('a')], 0)
    guard.refuse([login('a'), login('b')], 0)
    expect(guard.waitMs(login('b'), 0)).toBe(MINUTE_MS)
  })

  test('is forgotten when a login was admitted', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    guard.admit()
    expect(guard.waitMs(login('a'), 0)).toBe(0)
    guard.refuse([login('a')], 0)
    expect(guard.waitMs(login('a'), 0)).toBe(MINUTE_MS)
  })
})
