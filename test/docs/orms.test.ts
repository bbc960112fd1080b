import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exampleNames } from '../../cdk/example-folder.ts'
import { inOneLine, libraryTable, sourcesOf } from '../orms/support/library-table.ts'
import { ROWS } from '../orms/support/rows.ts'
import { withTable } from '../support/marked-table.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8')

test('docs/orms.md has the rows that the tests run', () => {
  const page = read('docs/orms.md')
  expect(page).toBe(withTable(page, 'libraries', libraryTable()))
})

describe.each(ROWS)('the line $line', (row) => {
  test('stands in code that a test runs', () => {
    const sources = sourcesOf(row)
    expect(sources.filter((path) => !existsSync(join(REPOSITORY, path)))).toEqual([])
    expect(sources.map((path) => inOneLine(read(path))).join('\n')).toContain(inOneLine(row.line))
  })
})

test('every example is in the table', async () => {
  expect([...new Set(ROWS.flatMap(({ example }) => example ?? []))].sort()).toEqual(await exampleNames())
})
