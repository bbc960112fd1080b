/** Runs the command in a pseudo-terminal of util-linux's `script`, as somebody at a keyboard does. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const REPOSITORY = join(import.meta.dirname, '../..')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')
/** Printed by the shell behind the command, with the exit code and the state of the terminal. */
const ENDED = 'ended with'

export interface Terminal {
  /** What the terminal has shown so far. */
  readonly output: () => string
  /** Types, or pastes with the marks of a terminal that was asked for them. */
  type(text: string): void
  paste(text: string): void
  /** Resolves when the output has this text. */
  shows(text: string): Promise<void>
  /** Resolves at the end to all output; its last lines are `ended with <code>` and what `stty -a` says. */
  ended(): Promise<{ readonly code: number; readonly output: string; readonly settings: string }>
}

/** Quoted for a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

export function openTerminal(words: readonly string[], environment: NodeJS.ProcessEnv): Terminal {
  const command = [process.execPath, `--import=${LOOPBACK_NAMES}`, join(REPOSITORY, 'cli/main.ts'), ...words]
  const line = `${command.map(quoted).join(' ')}; echo "${ENDED} $?"; stty -a`
  // The BSDs' script, which macOS has, takes the command as words.
  const own = process.platform === 'linux' ? ['-qfec', line, '/dev/null'] : ['-q', '/dev/null', 'sh', '-c', line]
  const child = spawn('script', own, { env: environment, stdio: 'pipe' })
  let output = ''
  let hasEnded = false
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const check of [...waiting]) check()
  }
  child.stdout.on('data', (chunk) => {
    output += chunk
    look()
  })
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const closed = new Promise<void>((resolve) =>
    child.on('close', () => {
      hasEnded = true
      look()
      resolve()
    }),
  )
  return {
    output: () => output,
    type: (text) => void child.stdin.write(text),
    paste: (text) => void child.stdin.write(`\u001b[200~${text}\u001b[201~`),
    shows: (text) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (output.includes(text)) resolve()
          else if (hasEnded) reject(new Error(`the terminal never showed "${text}"`))
          else return
          waiting.delete(check)
        }
        waiting.add(check)
        check()
      }),
    ended: async () => {
      await closed
      const [shown = '', rest = ''] = output.split(ENDED)
      const [code = ''] = rest.trim().split(/\s/, 1)
      return { code: Number(code), output: shown, settings: rest }
    },
  }
}

/** The command lines of all processes, as every user sees them. */
export function processList(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        // It has ended meanwhile.
        return ''
      }
    })
    .join('\n')
}
