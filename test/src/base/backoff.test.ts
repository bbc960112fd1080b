import { describe, expect, test } from 'vitest'
import { fullJitterMs } from '../../../src/base/backoff.ts'

const BACKOFF = { baseMs: 100, capMs: 2000 }

describe('a wait with full jitter', () => {
  test.each([
    [0, 100],
    [1, 200],
    [4, 1600],
    [5, 2000],
    [1100, 2000],
  ])('before repetition %d is at most %d ms', (attempt, longest) => {
    expect(fullJitterMs(attempt, BACKOFF, () => 1)).toBe(longest)
    expect(fullJitterMs(attempt, BACKOFF, () => 0.5)).toBe(longest / 2)
    expect(fullJitterMs(attempt, BACKOFF, () => 0)).toBe(0)
  })
})
