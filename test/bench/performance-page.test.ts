import { expect, test } from 'vitest'
import { isReadmeCurrent, withSection } from '../../bench/performance-page.ts'

const BEGIN = '<!-- bench:begin, written by `npm run bench` -->'
const END = '<!-- bench:end -->'

test('the section takes the place of what is between the markers, and of nothing else', () => {
  const readme = `before\n${BEGIN}\nold\n${END}\nafter\n`
  const written = withSection(readme, 'new')
  expect(written).toBe(`before\n${BEGIN}\nnew\n${END}\nafter\n`)
  expect(withSection(written, 'new')).toBe(written)
})

test.each(['no markers', `${END}\n${BEGIN}`, BEGIN])('a README with %j is refused', (readme) => {
  expect(() => withSection(readme, 'new')).toThrow('README.md has no')
})

test('the README says what the results say', async () => {
  expect(await isReadmeCurrent()).toBe(true)
})
