/** The table of docs/orms.md, made from the rows that the tests run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LibraryRow, ROWS } from './rows.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const { devDependencies }: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(REPOSITORY, 'package.json'), 'utf8'),
)

/** Code in one line, as a cell of a table has it. */
export function inOneLine(code: string): string {
  return code.replace(/,(?=\s*[)\]}])/g, '').replace(/\s+/g, ' ')
}

/** The files of which one must contain the row's line, relative to the repository; the test runs them. */
export function sourcesOf({ example, fixture }: LibraryRow): readonly string[] {
  return [
    ...(example === undefined ? [] : [`examples/${example}/accounts.mjs`]),
    ...(fixture === undefined ? [] : [`test/fixtures/orms/${fixture}.mjs`]),
  ]
}

export function libraryTable(): string {
  const lines = ROWS.map((row) => {
    const names = row.packages.map((name) => `${name} ${devDependencies[name]}`).join(', ')
    const files = sourcesOf(row).map((path) => `[${path.split('/').at(-2)}/${path.split('/').at(-1)}](../${path})`)
    return `| ${names} | ${row.use} | \`${inOneLine(row.line)}\` | ${row.note} | ${files.join(', ')} |`
  })
  return [
    '| library | takes the pool | how | to know | the code that was run |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n')
}
