import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { PasteFilter } from '../../../cli/secret/prompt.ts'

const [BEGIN, END] = ['\u001b[200~', '\u001b[201~']

async function filtered(chunks: readonly string[]): Promise<string> {
  const filter = new PasteFilter()
  for (const chunk of chunks) filter.write(chunk)
  filter.end()
  return await text(filter)
}

test.each([
  ['what is typed stays as it is', ['ab\r'], 'ab\r'],
  ['line ends of what is pasted are blanks', [`${BEGIN}{\r\n "a": 1\n}${END}\r`], '{  "a": 1 }\r'],
  ['of two pastes, the Enter between them is one', [`${BEGIN}a\n${END}\r${BEGIN}b\n${END}`], 'a \rb '],
  ['other keys are passed on', ['\u001b[A\u001b[3~'], '\u001b[A\u001b[3~'],
  ['Escape is passed on at the end', ['\u001b'], '\u001b'],
])('%s', async (_, chunks, expected) => {
  expect(await filtered(chunks)).toBe(expected)
})

test('a mark is found wherever it is cut', async () => {
  const pasted = `x${BEGIN}a\nb${END}\ry`
  for (let at = 0; at <= pasted.length; at += 1) {
    expect(await filtered([pasted.slice(0, at), pasted.slice(at)])).toBe('xa b\ry')
  }
  expect(await filtered([...pasted])).toBe('xa b\ry')
})
