/** The help texts, written from the table of the commands. */
import type { Command } from './command.ts'
import { labelled, wrapped } from './text.ts'

export const PROGRAM = 'npx cockroach-lambda'

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}

/** The name of an option, and of its value. */
function synopsisOf([name, { value }]: [string, Command['options'][string]]): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}

export function commandHelp({ name, summary, operand, options, examples }: Command): string {
  const all = Object.entries(options)
  const width = 2 + Math.max(...all.map((option) => synopsisOf(option).length))
  const usage = [...all.map((option) => `[${synopsisOf(option)}]`), ...(operand === undefined ? [] : [`[${operand}]`])]
  return [
    ...labelled('Usage: ', 7, `${PROGRAM} ${name} ${usage.join(' ')}`),
    '',
    ...wrapped(summary),
    '',
    'Options:',
    ...indented(all.flatMap((option) => wrappedOption(synopsisOf(option), width, option[1].help))),
    '',
    'Examples:',
    ...examples.flatMap(([line, does]) => [...wrapped(`# ${does}`, 2), `  ${line}`]),
  ].join('\n')
}

function wrappedOption(label: string, width: number, help: string): string[] {
  const [first = '', ...rest] = wrapped(help, width, 78)
  return [`${label.padEnd(width)}${first.trimStart()}`, ...rest]
}

export function programHelp(commands: readonly Command[]): string {
  const width = 2 + Math.max(...commands.map(({ name }) => name.length))
  return [
    `Usage: ${PROGRAM} <command> [options]`,
    '',
    ...wrapped('From a connection string to a Lambda function that answers.'),
    '',
    'Commands:',
    ...indented(commands.flatMap(({ name, summary }) => wrappedOption(name, width, summary))),
    '',
    'Examples:',
    ...commands.flatMap(({ examples: [first] }) =>
      first === undefined ? [] : [...wrapped(`# ${first[1]}`, 2), `  ${first[0]}`],
    ),
    '',
    ...wrapped(`${PROGRAM} <command> --help describes a command. Exit codes: docs/command.md.`),
  ].join('\n')
}
