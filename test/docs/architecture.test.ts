import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn, readPage, tableOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/architecture.md')

test('docs/architecture.md names the channels of DiagnosticMessages, in its order', () => {
  const text = readFileSync(join(REPOSITORY, 'src/base/diagnostics.ts'), 'utf8')
  const [, body = ''] = /interface DiagnosticMessages \{\n(.*?)^\}/ms.exec(text) ?? []
  const channels = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name]) => `cockroach-lambda:${name}`)
  expect(tableOf(PAGE, 'Watching it').flatMap(([channel]) => codeIn(channel))).toEqual(channels)
})

test('docs/architecture.md names folders that exist', () => {
  const folders = tableOf(PAGE, 'Folders').flatMap(([folder]) => codeIn(folder))
  expect(folders).toContain('src/')
  for (const folder of folders) expect(existsSync(join(REPOSITORY, folder))).toBe(true)
})
