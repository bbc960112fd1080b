import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import { type Credentials, LoginGuard } from '../../../src/connection/login-guard.ts'

const MINUTE_MS = 60_000

function login(password: string | undefined, changes: Partial<Credentials> = {}): Credentials {
  const known = password === undefined ? undefined : new Password(password)
  return { server: 'h:1', user: 'u', dbname: undefined, password: known, ...changes }
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
    ['server', login('a', { server: 'h:2' })],
    ['password, none at all', login(undefined)],
    ['certificate', login('a', { certificate: 'AA:BB' })],
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
    guard.admit(login('a'))
    expect(guard.waitMs(login('a'), 0)).toBe(0)
    guard.refuse([login('a')], 0)
    expect(guard.waitMs(login('a'), 0)).toBe(MINUTE_MS)
  })
})

describe('logins of many databases', () => {
  test('are distinguished by password, and one admitted leaves the others blocked', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    guard.refuse([login('b')], 0)
    guard.admit(login('b'))
    expect([guard.waitMs(login('a'), 0), guard.waitMs(login('b'), 0)]).toEqual([MINUTE_MS, 0])
  })

  test('refused for all databases wait with every name of one, and refused for one with that name', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a'), login('b', { dbname: 'one' })], 0)
    const waits = ['one', 'other'].flatMap((dbname) => [login('a', { dbname }), login('b', { dbname })])
    expect(waits.map((each) => guard.waitMs(each, 0))).toEqual([MINUTE_MS, MINUTE_MS, MINUTE_MS, 0])
  })

  test('are known by their passwords, whatever class those have', () => {
    const guard = new LoginGuard()
    guard.refuse([login('a')], 0)
    expect(guard.waitMs({ ...login(undefined), password: { reveal: () => 'a' } }, 0)).toBe(MINUTE_MS)
  })

  test('beyond a hundred refused ones, the oldest is forgotten', () => {
    const guard = new LoginGuard()
    for (let number = 0; number <= 100; number += 1) guard.refuse([login(String(number))], 0)
    expect(['0', '1', '100'].map((password) => guard.waitMs(login(password), 0))).toEqual([0, MINUTE_MS, MINUTE_MS])
  })
})

describe('entering', () => {
  test('with the same login waits for each that is refused, and not after one that is admitted', async () => {
    const guard = new LoginGuard()
    const entered: number[] = []
    const first = await guard.enter(login('a'))
    const others = [1, 2, 3].map(async (number) => {
      const admission = await guard.enter(login('a'))
      entered.push(number)
      return admission
    })
    await guard.enter(login('b'))
    expect([first.hasWaited, entered]).toEqual([false, []])
    first.leave(false)
    const second = await others[0]
    expect([second?.hasWaited, entered]).toEqual([true, [1]])
    second?.leave(true)
    await Promise.all(others)
    expect(entered).toEqual([1, 2, 3])
  })

  test('waits no longer than a turn for one that gets no answer, and one by one', async () => {
    const guard = new LoginGuard(20)
    const silent = await guard.enter(login('a'))
    const second = await guard.enter(login('a'))
    const third = guard.enter(login('a'))
    silent.leave(true)
    await expect(Promise.race([third, Promise.resolve('waits')])).resolves.toBe('waits')
    second.leave(true)
    expect([second.hasWaited, (await third).hasWaited]).toEqual([true, true])
  })
})

test('logins with a password source are blocked by its kind, whatever the password', () => {
  const guard = new LoginGuard()
  guard.refuse([login(undefined, { kind: 'jwt' })], 0)
  expect(guard.waitMs(login(undefined, { kind: 'jwt' }), 0)).toBe(MINUTE_MS)
  for (const other of [login(undefined), login('a'), login(undefined, { kind: 'function' })]) {
    expect(guard.waitMs(other, 0)).toBe(0)
  }
})
