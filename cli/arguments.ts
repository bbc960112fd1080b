/**
 * Reads the command line by a command's table. Node's parser splits it; the messages are ours, since a word that is not
 * known may be a connection string, and parsers quote it.
 */
import { parseArgs } from 'node:util'
import { misspeltWord } from '../src/base/nearest.ts'
import { type Arguments, type Command, UsageError } from './command.ts'

/** A misspelt word and the known one; of any other its length, since it may be a password, and all that are known. */
export function describeUnknown(kind: string, word: string, known: readonly string[]): string {
  const meant = misspeltWord(word, known)
  return meant === undefined
    ? `unknown ${kind} of ${word.length} characters; there are: ${known.join(', ')}`
    : `unknown ${kind} "${word}"; did you mean ${meant}?`
}

/** Without the password: it is in the shell's history and was in the process list. */
const WITH_SECRET =
  'a connection string does not belong on the command line, where the process list and the history of the shell show it; give it on standard input'

/** @throws UsageError */
export function readArguments(command: Command, words: readonly string[]): Arguments {
  const { name, options, operand } = command
  const types = Object.fromEntries(
    Object.entries(options).map(([option, { value }]) => [
      option,
      { type: value === undefined ? 'boolean' : 'string' },
    ]),
  ) as Record<string, { type: 'boolean' | 'string' }>
  const { tokens } = parseArgs({
    args: [...words],
    options: types,
    strict: false,
    tokens: true,
    allowPositionals: true,
  })
  const values = new Map<string, string | undefined>()
  const operands: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value)
    if (token.kind !== 'option') continue
    const option = options[token.name]
    if (option === undefined || !Object.hasOwn(options, token.name)) {
      throw new UsageError(
        describeUnknown(
          'option',
          token.rawName,
          Object.keys(options).map((known) => `--${known}`),
        ),
      )
    }
    const { value } = token
    if (option.value === undefined && value !== undefined) throw new UsageError(`--${token.name} has no value`)
    if (option.value !== undefined && (value === undefined || value === '' || (value.startsWith('-') && value !== '-')))
      throw new UsageError(`--${token.name} needs a value: ${option.value}`)
    if (values.has(token.name)) throw new UsageError(`--${token.name} is given twice`)
    values.set(token.name, value)
  }
  if ([...operands, ...values.values()].some((word) => word !== undefined && /:\/\/[^/\s]*:|password=/i.test(word)))
    throw new UsageError(WITH_SECRET)
  if (operand === undefined && operands.length > 0)
    throw new UsageError(`${name} has options only, and no operand (${operands[0]?.length} characters)`)
  if (operands.length > 1 && !operand?.endsWith('…')) throw new UsageError(`${name} has one operand: ${operand}`)
  return {
    flag: (option) => values.has(option),
    value: (option) => values.get(option),
    operands,
  }
}
