import { describe, expect, test } from 'vitest'
import { readArguments } from '../../cli/arguments.ts'
import { COMMANDS } from '../../cli/commands.ts'
import { FORMATS } from '../../cli/connection/formats.ts'
import { STEPS } from '../../cli/doctor/report.ts'
import { exitCodeOf, FAILED, INTERRUPTED, NOT_FOUND, OK, WRONG_USAGE } from '../../cli/exit-codes.ts'
import { codeIn, readPage, rowsOf, tableOf } from '../support/page.ts'

const PAGE = readPage('docs/command.md')
const ROWS = rowsOf(PAGE)
const LINES = codeIn(PAGE.text).filter((code) => code.startsWith('npx cockroach-lambda '))

test('docs/command.md names every command', () => {
  for (const { name } of COMMANDS) expect(LINES.join('\n')).toContain(`npx cockroach-lambda ${name}`)
})

describe('every command line of docs/command.md can be read', () => {
  test.each(LINES)('%s', (line) => {
    const words = line.split(' ').slice(2)
    const command = COMMANDS.find(({ name }) => words.join(' ').startsWith(name))
    if (command === undefined) throw new Error('there is no such command')
    expect(() => readArguments(command, words.slice(command.name.split(' ').length))).not.toThrow()
  })
})

test('docs/command.md lists the steps of doctor in their order', () => {
  const listed = ROWS.flatMap(([cell]) => codeIn(cell)).filter((code) => STEPS.some((step) => step === code))
  expect(listed).toEqual([...STEPS])
})

test('docs/command.md lists the exit codes', () => {
  const listed = ROWS.filter(([cell]) => /^\d+$/.test(cell ?? '')).map(([code, means]) => [
    Number(code),
    codeIn(means)[0],
  ])
  expect(listed.map(([code]) => code)).toEqual([
    OK,
    FAILED,
    WRONG_USAGE,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    NOT_FOUND,
    INTERRUPTED,
  ])
  for (const [code, name] of listed) if (typeof name === 'string') expect(exitCodeOf(name)).toBe(code)
})

test('docs/command.md lists the formats of url', () => {
  const listed = tableOf(PAGE, 'url').flatMap(([cell]) => codeIn(cell))
  expect(listed).toEqual([...FORMATS.keys()])
})
