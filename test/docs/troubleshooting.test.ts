import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeIn, readPage, rowsOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const MESSAGES = rowsOf(readPage('docs/troubleshooting.md')).flatMap(([cell]) => codeIn(cell))

/** The code that writes messages, with `…` for each value that is put into one. */
const CODE = ['src', 'cdk']
  .flatMap((folder) =>
    readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  )
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(REPOSITORY, path), 'utf8').replace(/\$\{[^{}]*\}/g, '…'))
  .join('\n')

test('docs/troubleshooting.md has messages', () => {
  expect(MESSAGES.length).toBeGreaterThan(60)
})

test.each(MESSAGES)('%s is a message or a code of ours', (message) => {
  const parts = message.split('…').filter((part) => /\w/.test(part))
  expect(parts).not.toEqual([])
  expect(parts.filter((part) => !CODE.includes(part))).toEqual([])
})
