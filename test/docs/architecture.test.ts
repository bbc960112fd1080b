import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn, readPage, tableOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/architecture.md')

test('docs/architecture.md names folders that exist', () => {
  const folders = tableOf(PAGE, 'Folders').flatMap(([folder]) => codeIn(folder))
  expect(folders).toContain('src/')
  for (const folder of folders) expect(existsSync(join(REPOSITORY, folder))).toBe(true)
})
