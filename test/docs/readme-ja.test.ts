/** The Japanese README has the English one's start: the same code, the same links, as many sections. */
import { expect, test } from 'vitest'
import { readPage } from '../support/page.ts'

const JAPANESE = readPage('README.ja.md')
const ENGLISH = readPage('README.md')
/** The start, without API and list of pages. */
const START = { ...ENGLISH, ...partOf(ENGLISH.text, '\n## API') }

function partOf(text: string, end: string): { links: string[]; headings: string[] } {
  const start = text.slice(0, text.indexOf(end)).replace(/^( *)```.*?^\1```/gms, '')
  const links = [...start.replace(/`[^`\n]+`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
  return { links, headings: [...start.matchAll(/^#+ .*$/gm)].map(([heading]) => heading) }
}

test('its code is that of README.md, up to the API', () => {
  expect(JAPANESE.snippets.length).toBeGreaterThan(8)
  expect(JAPANESE.snippets).toEqual(ENGLISH.snippets.slice(0, JAPANESE.snippets.length))
  const next = ENGLISH.snippets[JAPANESE.snippets.length]?.text ?? ''
  expect(ENGLISH.text.indexOf(next)).toBeGreaterThan(ENGLISH.text.indexOf('\n## API'))
})

test('it links to every page that the start of README.md links to', () => {
  const foreign = (links: readonly string[]) => links.filter((link) => !link.startsWith('#') && !/^README/.test(link))
  expect(foreign(JAPANESE.links).toSorted()).toEqual([...foreign(START.links), 'LICENSE'].toSorted())
})

test('it has the sections of the start, and one that leads to the rest', () => {
  expect(JAPANESE.headings).toHaveLength(START.headings.length + 1)
})
