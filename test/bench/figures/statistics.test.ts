import { expect, test } from 'vitest'
import { median, pairedDifference, pairedRatio, spread } from '../../../bench/figures/statistics.ts'

test.each([
  [[3], 3],
  [[1, 10], 5.5],
  [[9, 1, 5], 5],
  [[4, 1, 3, 2], 2.5],
])('the median of %j is %d', (figures, expected) => {
  expect(median(figures)).toBe(expected)
})

test('a spread contains the quartiles and the number of figures', () => {
  expect(spread([5, 1, 4, 2, 3])).toEqual({ median: 3, q1: 2, q3: 4, count: 5 })
})

test('ratios and differences are medians of those of each round, so that a slow round counts once', () => {
  const base = [10, 100, 10]
  const figures = [5, 50, 6]
  expect(pairedRatio(figures, base)).toBe(0.5)
  expect(pairedDifference(figures, base)).toBe(-5)
})

test('the ratio of figures without a counterpart is NaN', () => {
  expect(pairedRatio([1], [])).toBeNaN()
})
