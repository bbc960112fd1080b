import { expect, test } from 'vitest'
import { outdatedPages, withSection } from '../../bench/performance-pages.ts'

const BEGIN = '<!-- bench:begin, written by `npm run bench` -->'
const END = '<!-- bench:end -->'

test('the section replaces the text between the markers, and nothing else', () => {
  const page = `before\n${BEGIN}\nold\n${END}\nafter\n`
  const written = withSection(page, 'new')
  expect(written).toBe(`before\n${BEGIN}\nnew\n${END}\nafter\n`)
  expect(withSection(written, 'new')).toBe(written)
})

test.each(['no markers', `${END}\n${BEGIN}`, BEGIN])('a page with %j is refused', (page) => {
  expect(() => withSection(page, 'new')).toThrow('the page has no')
})

test('README and docs/performance.md have the figures of bench/results.json', async () => {
  expect(await outdatedPages()).toEqual([])
})
