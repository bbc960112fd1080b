import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { PAGES, type Page, readPage } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')

/** The anchor that a heading gets on GitHub: lower case, blanks as dashes, no other punctuation. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replace(/\s/g, '-')
}

/** What is wrong with a link, if anything is. */
function fault(page: Page, link: string): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page.path : normalize(join(dirname(page.path), path))
  if (!existsSync(join(REPOSITORY, target))) return `${link}: there is no ${target}`
  if (anchor === undefined) return undefined
  return readPage(target).headings.map(anchorOf).includes(anchor) ? undefined : `${link}: ${target} has no such heading`
}

test.each(PAGES)('every relative link and anchor in $path resolves', (page) => {
  const relative = page.links.filter((link) => !/^[a-z]+:/.test(link))
  expect(relative.flatMap((link) => fault(page, link) ?? [])).toEqual([])
})

test('every page of docs/ can be reached from README.md', () => {
  const { links } = readPage('README.md')
  for (const name of readdirSync(join(REPOSITORY, 'docs'))) expect(links).toContain(`docs/${name}`)
})

test('README.md is short', () => {
  expect(readPage('README.md').text.split('\n').length).toBeLessThanOrEqual(176)
})

test('the package has the pages of docs/, for README.md links to them', () => {
  const { files }: { readonly files: readonly string[] } = JSON.parse(
    readFileSync(join(REPOSITORY, 'package.json'), 'utf8'),
  )
  expect(files).toContain('docs')
})

test('a heading with code and punctuation has the anchor that GitHub gives it', () => {
  expect(anchorOf('What happens when …')).toBe('what-happens-when-')
  expect(anchorOf('`ERR_CONFIG`: settings')).toBe('err_config-settings')
})
