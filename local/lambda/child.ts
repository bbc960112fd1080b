/** A process inside an execution environment: stopped, continued and ended by signals; it does not outlive this process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExitStatus } from './function-error.ts'
import { unwatch, watch } from './watchdog.ts'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly environment: Readonly<Record<string, string>>
  /** Called with what the process writes to stdout and stderr. */
  readonly onOutput: (text: string) => void
}

export class Child {
  /** Settles when the process has ended. */
  readonly exited: Promise<ExitStatus>
  /** How the process ended, once it has. */
  exitStatus: ExitStatus | undefined
  readonly #process: ChildProcess

  constructor({ command, args, cwd, environment, onOutput }: ChildOptions) {
    const child = spawn(command, args, { cwd, env: { ...environment }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput)
    if (child.pid !== undefined) watch(child.pid)
    this.exited = new Promise((resolve) => {
      const onEnd = (code: number | null, signal: NodeJS.Signals | null) => {
        if (child.pid !== undefined) unwatch(child.pid)
        this.exitStatus = { code, signal }
        resolve(this.exitStatus)
      }
      // 'close' comes after 'exit', when all output was read.
      child.once('close', onEnd)
      child.once('error', (error) => {
        onOutput(`${command}: ${error.message}\n`)
        if (child.pid === undefined) onEnd(127, null)
      })
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  /** Resolves true when the process ends by itself within this time. */
  async endsWithin(ms: number): Promise<boolean> {
    const timer = new AbortController()
    const timeUp = sleep(ms, false, { signal: timer.signal }).catch(() => false)
    const ended = await Promise.race([this.exited.then(() => true), timeUp])
    timer.abort()
    return ended
  }

  /** Stops the process with SIGSTOP; on Linux, resolves when it is stopped. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP')
    while (process.platform === 'linux' && this.exitStatus === undefined) {
      const stat = await readFile(`/proc/${this.pid}/stat`, 'utf8').catch(() => ') T')
      // The state is the field after the command's name, which may contain blanks and parentheses.
      if (/^[TZ]/.test(stat.slice(stat.lastIndexOf(')') + 2))) return
      await sleep(1)
    }
  }

  thaw(): void {
    this.signal('SIGCONT')
  }
}
