/** Reads the parts of one of the project's pages: its fenced snippets, tables, headings and links. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const REPOSITORY = join(import.meta.dirname, '../..')

export interface Snippet {
  /** What stands after the fence: `js`, `ts`, `sh`; `text` for a picture. */
  readonly language: string
  readonly text: string
}

export interface Page {
  /** Relative to the repository. */
  readonly path: string
  readonly text: string
  /** In the order of the page; one inside a list loses its indentation. */
  readonly snippets: readonly Snippet[]
  /** Texts of the headings, without their marks. */
  readonly headings: readonly string[]
  /** Targets of the links in prose, as they are written. */
  readonly links: readonly string[]
}

const FENCED = /^( *)```(\w*)\n(.*?)^\1```$/gms

export function readPage(path: string): Page {
  const text = readFileSync(join(REPOSITORY, path), 'utf8')
  const snippets = [...text.matchAll(FENCED)].map(([, indentation = '', language = '', code = '']) => ({
    language,
    text: code.replace(new RegExp(`^${indentation}`, 'gm'), ''),
  }))
  const prose = text.replace(FENCED, '')
  const headings = [...prose.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading)
  const links = [...prose.replace(/`[^`\n]+`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return { path, text, snippets, headings, links }
}

/** Every page of the project. */
export const PAGES: readonly Page[] = [
  ...['README.md', 'README.ja.md', 'CONTRIBUTING.md', 'CHANGELOG.md'],
  ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`),
  ...['src/README.md', 'examples/README.md', 'bench/README.md', 'bench/results.md', 'certs/README.md'],
].map(readPage)

/** Snippets that are code, of all pages; a test compares those of the translation. */
export const SNIPPETS: readonly Snippet[] = PAGES.filter(({ path }) => path !== 'README.ja.md')
  .flatMap(({ snippets }) => snippets)
  .filter(({ language }) => language !== 'text')

/** What stands below a heading, up to the next heading of its level or above. */
export function sectionOf(page: Page, heading: string): string {
  const lines = page.text.split('\n')
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  const level = lines[start]?.search(/[^#]/) ?? 0
  const below = lines.slice(start + 1)
  const end = below.findIndex((line) => /^#+ /.test(line) && line.search(/[^#]/) <= level)
  return start === -1 ? '' : below.slice(0, end === -1 ? undefined : end).join('\n')
}

/** The rows of each table in a text, its head left out, each row a list of cells. */
function tablesIn(text: string): readonly (readonly (readonly string[])[])[] {
  return [...text.matchAll(/^\|.*(?:\n\|.*)*/gm)].map(([table]) =>
    table
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  )
}

/** The tables below a heading, each as its rows. */
export function tablesOf(page: Page, heading: string): readonly (readonly (readonly string[])[])[] {
  return tablesIn(sectionOf(page, heading))
}

/** The rows of the first table below a heading. */
export function tableOf(page: Page, heading: string): readonly (readonly string[])[] {
  return tablesOf(page, heading)[0] ?? []
}

/** The rows of all tables of a page. */
export function rowsOf(page: Page): readonly (readonly string[])[] {
  return tablesIn(page.text).flat()
}

/** What stands between backticks. */
export function codeIn(cell: string | undefined): readonly string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}
