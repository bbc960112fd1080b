/** Runs the command in this process, and looks for the password in everything that it writes. */
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'vitest'
import { run } from '../../cli/run.ts'

export interface CommandLine {
  /** Standard input; a terminal without it. */
  readonly input?: string
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** What no output may hold, in any form. */
  readonly secrets: readonly string[]
}

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The forms in which a text may hold a secret. */
function formsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ]
}

export function expectNoSecret(output: string, secrets: readonly string[]): void {
  for (const form of secrets.filter((secret) => secret !== '').flatMap(formsOf)) {
    expect(output.includes(form), 'a secret is in the output').toBe(false)
  }
}

/** @returns exit code and output, in which no secret is */
export async function runCommand(words: readonly string[], line: CommandLine): Promise<CommandResult> {
  const { input, environment = {}, secrets } = line
  const stdin = Object.assign(Readable.from(input === undefined ? [] : [input]), { isTTY: input === undefined })
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const [out, err] = [text(stdout), text(stderr)]
  const code = await run(words, { environment, stdin, stdout, stderr })
  stdout.end()
  stderr.end()
  const result = { code, stdout: await out, stderr: await err }
  expectNoSecret(result.stdout + result.stderr, secrets)
  return result
}
