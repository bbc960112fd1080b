import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SYSTEM_CLOCK, steadyClock } from '../../../src/base/clock.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Two clocks that are moved by hand, and what is made of them. */
function clocks() {
  let wall = 1_700_000_000_000
  let monotonic = 5000
  const steadyNow = steadyClock(
    () => wall,
    () => monotonic,
  )
  const startedAt = steadyNow()
  return {
    set: (ms: number) => {
      wall += ms
    },
    pass: (ms: number) => {
      wall += ms
      monotonic += ms
    },
    passedMs: () => steadyNow() - startedAt,
  }
}

test('fake timers neither stop our clocks nor have them jump', () => {
  const { monotonicNow, steadyNow, now } = SYSTEM_CLOCK
  const before = [monotonicNow(), steadyNow() - now()]
  vi.useFakeTimers()
  const meanwhile = monotonicNow()
  steadyNow()
  vi.useRealTimers()
  const after = [monotonicNow(), steadyNow() - now()]
  expect(Math.abs(meanwhile - Number(before[0]))).toBeLessThan(60_000)
  for (const [index, value] of after.entries()) expect(Math.abs(value - Number(before[index]))).toBeLessThan(60_000)
})

describe('the clock for ages', () => {
  test('begins at the wall clock', () => {
    expect(steadyClock(Date.now, () => performance.now())() - Date.now()).toBeLessThanOrEqual(1)
  })

  test.each([
    ['goes on with both clocks', [['pass', HOUR_MS]], HOUR_MS],
    ['counts a freeze in which the monotonic clock stands still', [['set', HOUR_MS]], HOUR_MS],
    ['does not go back with a wall clock that is set back by a day', [['set', -DAY_MS]], 0],
    [
      'goes on after that',
      [
        ['set', -DAY_MS],
        ['pass', HOUR_MS],
      ],
      HOUR_MS,
    ],
    [
      'counts a freeze after that',
      [
        ['set', -DAY_MS],
        ['set', HOUR_MS],
      ],
      HOUR_MS,
    ],
    [
      'counts a wall clock that is set forward by a day',
      [
        ['set', DAY_MS],
        ['pass', HOUR_MS],
      ],
      DAY_MS + HOUR_MS,
    ],
    [
      'does not take that back',
      [
        ['set', DAY_MS],
        ['set', -DAY_MS],
        ['pass', HOUR_MS],
      ],
      DAY_MS + HOUR_MS,
    ],
  ] as const)('%s', (_, moves, expected) => {
    const { passedMs, ...move } = clocks()
    for (const [name, ms] of moves) {
      move[name](ms)
      passedMs()
    }
    expect(passedMs()).toBe(expected)
  })

  test('does not gain by the coarse steps of the wall clock', () => {
    let monotonic = 0
    const steadyNow = steadyClock(
      () => Math.floor(monotonic),
      () => monotonic,
    )
    for (let step = 0; step < 100_000; step += 1) {
      monotonic += 0.1
      steadyNow()
    }
    expect(steadyNow()).toBe(10_000)
  })
})

test('random numbers differ in two environments that start from one snapshot, whose Math.random goes on alike', () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.75)
  onTestFinished(() => void vi.restoreAllMocks())
  const numbers = Array.from({ length: 100 }, () => SYSTEM_CLOCK.random())
  expect(numbers.filter((number) => number >= 0 && number < 1)).toHaveLength(100)
  expect(new Set(numbers).size).toBeGreaterThan(90)
})
