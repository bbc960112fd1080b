import { expect, test } from 'vitest'
import { maxLifetimeMs } from '../../src/pool/checkout.ts'
import { readPage, sectionOf } from '../support/page.ts'
import { readNow } from '../support/settings.ts'

const PAGE = readPage('docs/operations.md')

test('the age of a secret in use is the default', () => {
  const { secretTtlMs } = readNow({ secretId: 'app/db' }, {})
  expect(sectionOf(PAGE, 'When the password changes')).toContain(`at most ${secretTtlMs / 1000} s old`)
})

test('the longest life of a connection is the one that is told', () => {
  const minutes = Math.round(maxLifetimeMs(() => 1) / 60_000)
  expect(minutes).toBe(33)
  expect(sectionOf(PAGE, 'When the password changes')).toContain('30 minutes and a tenth at the most')
})
