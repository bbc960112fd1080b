/** What a command is made of: the table in `commands.ts` has one entry each, and parsing and help read it. */
import type { Context } from './context.ts'

export interface CommandOption {
  /** What its value stands for in the help; absent for a flag. */
  readonly value?: string
  readonly help: string
}

/** The command line of one command, read by its entry in the table. */
export interface Arguments {
  /** True when the flag is there. */
  flag(name: string): boolean
  /** The value of an option. */
  value(name: string): string | undefined
  readonly operands: readonly string[]
}

/** Resolves to the exit code. */
export type Run = (given: Arguments, context: Context) => Promise<number>

export interface Command {
  /** One or two words: `doctor`, `secret put`. */
  readonly name: string
  readonly summary: string
  /** What it accepts without an option; `…` at its end: any number. */
  readonly operand?: string
  readonly options: Readonly<Record<string, CommandOption>>
  /** Command lines behind the name, and what each does. */
  readonly examples: readonly (readonly [line: string, does: string])[]
  /** Loads the code of the command: `--help` needs none of it. */
  readonly load: () => Promise<Run>
}

/** A command line that cannot be run; the message holds no word that may be a secret. */
export class UsageError extends Error {}
