import { expect, test } from 'vitest'
import * as variable from '../../../src/base/environment-variables.ts'
import { nearest } from '../../../src/base/nearest.ts'

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
