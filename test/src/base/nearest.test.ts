import { expect, test } from 'vitest'
import * as variable from '../../../src/base/environment-variables.ts'
import { misspeltWord, nearest } from '../../../src/base/nearest.ts'

const VARIABLES = Object.values(variable)

test.each([
  ['COCKROACH_SECRETID', VARIABLES, 'COCKROACH_SECRET_ID'],
  ['COCKROACH_SECRET_KEYS', VARIABLES, 'COCKROACH_SECRET_KEY'],
  ['COCKROACH_CLUSTERROUTING', VARIABLES, 'COCKROACH_CLUSTER_ROUTING'],
  ['MAXCONNECTIONS', ['max', 'max_connections'], 'max_connections'],
  ['', ['abc', 'a'], 'a'],
  ['same', ['b', 'same'], 'same'],
  ['xy', ['ab', 'cd'], 'ab'],
])('%j is nearest to the known word with the fewest edits', (word, known, expected) => {
  expect(nearest(word, known)).toBe(expected)
})

test.each([
  ['verify-ful', 'verify-full'],
  ['VERIFY_FULL', 'verify-full'],
  ['requrie', 'require'],
  ['verysecretword', undefined],
  ['prefix', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
])('%.20j is a misspelling of %j', (word, meant) => {
  expect(misspeltWord(word, ['require', 'verify-full', 'allow'])).toBe(meant)
})

test('a word with two wrong characters anywhere is recognised', () => {
  const known = 'COCKROACH_SECRET_KEY'
  const places = [...known].flatMap((_, first) => [...known].map((_, second) => [first, second] as const))
  const wrong = places.map(([first, second]) =>
    [...known].map((letter, at) => (at === first || at === second ? '#' : letter)).join(''),
  )
  expect(wrong.filter((word) => misspeltWord(word, ['PGHOST', known]) !== known)).toEqual([])
})
