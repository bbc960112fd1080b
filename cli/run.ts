/** Runs one command line, and resolves to its exit code; it ends no process and reads no global. */
import { describeUnknown, readArguments } from './arguments.ts'
import { type Command, UsageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import type { Context } from './context.ts'
import { OK, WRONG_USAGE } from './exit-codes.ts'
import { commandHelp, PROGRAM, programHelp } from './help.ts'
import { wrapped } from './text.ts'

const ASKS_HELP = ['--help', '-h', 'help']

/** The command of the first two words, or of the first, and the words behind it. */
function findCommand(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  for (const count of [2, 1]) {
    const command = COMMANDS.find(({ name }) => name === words.slice(0, count).join(' '))
    if (command !== undefined) return { command, rest: words.slice(count) }
  }
  return undefined
}

/** What to say about words that are no command; of a group, as `secret`, its commands. */
function unknownCommand(words: readonly string[]): string {
  const [first = '', second = ''] = words
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length === 0) return describeUnknown('command', first, [...new Set(COMMANDS.flatMap(nameParts))])
  const names = group.map(({ name }) => name)
  if (second === '' || second.startsWith('-')) return `${first} needs one more word: ${names.join(', ')}`
  return describeUnknown(
    'command',
    second,
    names.map((name) => name.slice(first.length + 1)),
  )
}

function nameParts({ name }: Command): string[] {
  return [name.split(' ')[0] ?? name]
}

export async function run(words: readonly string[], context: Context): Promise<number> {
  const { stdout, stderr } = context
  const [first] = words
  if (first === undefined || ASKS_HELP.includes(first)) {
    const stream = first === undefined ? stderr : stdout
    stream.write(`${programHelp(COMMANDS)}\n`)
    return first === undefined ? WRONG_USAGE : OK
  }
  const found = findCommand(words)
  try {
    if (found === undefined) throw new UsageError(unknownCommand(words))
    const { command, rest } = found
    const own = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
    if (own.some((word) => word === '--help' || word === '-h')) {
      stdout.write(`${commandHelp(command)}\n`)
      return OK
    }
    const given = readArguments(command, rest)
    const work = await command.load()
    return await work(given, context)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const about = found === undefined ? '' : ` ${found.command.name}`
    stderr.write(`${wrapped(`cockroach-lambda: ${error.message}`).join('\n')}\nSee: ${PROGRAM}${about} --help\n`)
    return WRONG_USAGE
  }
}
