/** Text for terminals: at most 80 columns, and colours only where they are wanted. */
import { styleText } from 'node:util'
import type { Context } from './context.ts'

const COLUMNS = 80

/** Lines of at most 80 columns, broken at blanks; a longer word has a line of its own, so that it can be copied. */
export function wrapped(text: string, indent = 0, columns = COLUMNS): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (indent + longer.length > columns && line !== '') {
      lines.push(line)
      line = word
    } else line = longer
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}`.trimEnd())
}

/** `label`, and the text beside it, with the lines that follow below the first. */
export function labelled(label: string, width: number, text: string): string[] {
  const [first = '', ...rest] = wrapped(text, width)
  return [`${label.padEnd(width)}${first.trimStart()}`, ...rest]
}

type Colour = 'green' | 'red' | 'yellow' | 'bold'
export type Paint = (colour: Colour, text: string) => string

/** Paints for a terminal, unless NO_COLOR is set to anything. @see https://no-color.org */
export function paintFor(stream: Context['stdout'], { NO_COLOR, TERM }: Context['environment']): Paint {
  const isColoured = stream.isTTY === true && (NO_COLOR === undefined || NO_COLOR === '') && TERM !== 'dumb'
  return (colour, text) => (isColoured ? styleText(colour, text, { validateStream: false }) : text)
}

/** In single quotes, as every POSIX shell reads a word. */
export function quoted(word: string): string {
  return /^[\w./:@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
