import { describe, expect, test } from 'vitest'
import { assess, maxLifetimeMs } from '../../../src/pool/checkout.ts'

const MINUTE_MS = 60_000
const LIFETIME_MS = 30 * MINUTE_MS

describe('an idle connection', () => {
  test.each([
    ['just given back', { idleForMs: 0, ageMs: 0 }, 'use'],
    ['idle for 60 s', { idleForMs: 60_000, ageMs: 60_000 }, 'use'],
    ['idle for a little more than 60 s', { idleForMs: 60_001, ageMs: 60_001 }, 'probe'],
    ['idle for 340 s', { idleForMs: 340_000, ageMs: 340_000 }, 'probe'],
    ['idle for longer than 340 s', { idleForMs: 340_001, ageMs: 340_001 }, 'replace'],
    ['at the end of its lifetime', { idleForMs: 0, ageMs: LIFETIME_MS }, 'use'],
    ['past its lifetime', { idleForMs: 0, ageMs: LIFETIME_MS + 1 }, 'replace'],
    ['past its lifetime and idle for 2 minutes', { idleForMs: 2 * MINUTE_MS, ageMs: LIFETIME_MS + 1 }, 'replace'],
  ])('%s', (_, { idleForMs, ageMs }, verdict) => {
    expect(assess({ idleForMs, ageMs, maxLifetimeMs: LIFETIME_MS, idleTimeoutMs: 340_000 })).toBe(verdict)
  })
})

test.each([
  [0, 27 * MINUTE_MS],
  [0.5, 30 * MINUTE_MS],
  [1, 33 * MINUTE_MS],
])('with the dice at %d the lifetime is %d ms', (random, expected) => {
  expect(maxLifetimeMs(() => random)).toBeCloseTo(expected, 6)
})
