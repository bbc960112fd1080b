/** Reads README.md apart: its fenced snippets and its tables. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

export interface Snippet {
  /** What stands after the fence: `js`, `ts`, `sh`; empty for the picture. */
  readonly language: string
  readonly text: string
}

/** In the order of the page; one inside a list loses its indentation. */
export const SNIPPETS: readonly Snippet[] = [...README.matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(
  ([, indentation = '', language = '', text = '']) => ({
    language,
    text: text.replace(new RegExp(`^${indentation}`, 'gm'), ''),
  }),
)

/** The rows of the table below a heading, each a list of cells. */
export function tableOf(heading: string): readonly (readonly string[])[] {
  const [, section = ''] = README.split(`\n## ${heading}\n`)
  const [table = ''] = /^\|.*(?:\n\|.*)*/m.exec(section) ?? []
  return table
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

/** What stands between backticks. */
export function codeIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}
