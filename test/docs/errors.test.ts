import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGES, readPage, sectionOf } from '../support/page.ts'

const PAGE = readPage('docs/errors.md')
const source = readFileSync(join(import.meta.dirname, '../../src/base/connection-error.ts'), 'utf8')
const [, union = ''] = /type ConnectionErrorCode =\n(.*?)\n\n/s.exec(source) ?? []
const CODES = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code)

test('docs/errors.md has a section for each ConnectionErrorCode, in its order', () => {
  expect(CODES).toContain('ERR_CONFIG')
  expect(PAGE.headings.slice(1)).toEqual(CODES)
})

test.each(CODES)('the section of %s says what it means and what to do', (code) => {
  expect(sectionOf(PAGE, code)).toMatch(/^\n\*\*What it means\.\*\* \S.+\n\n\*\*What to do\.\*\* \S.+\n$/m)
})

test.each(PAGES)('every code in $path is one of them, or of Node', ({ text }) => {
  const named = [...text.matchAll(/\bERR_[A-Z_]+\b/g)].map(([code]) => code)
  const ofNode = ['ERR_TLS_CERT_ALTNAME_INVALID']
  expect([...new Set(named)].filter((code) => !CODES.includes(code) && !ofNode.includes(code))).toEqual([])
})
