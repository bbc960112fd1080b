/** AWS's runtime interface emulator around one function; it is invoked over its HTTP front. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import getPort from 'get-port'
import { vi } from 'vitest'
import { outsidePart } from './outside-part.ts'

const INVOCATIONS = '2015-03-31/functions/function/invocations'

export interface EmulatorOptions {
  /** The program that runs the function, its arguments, and last the handler. */
  readonly command: readonly string[]
  /** The function's code, `/var/task` on Lambda. */
  readonly task: string
  readonly environment: NodeJS.ProcessEnv
}

export interface Emulator extends AsyncDisposable {
  /** What the function answered, or the error in the form that Lambda gives it. */
  invoke(event: unknown): Promise<unknown>
  /** Stops emulator and function, as `docker pause` does. */
  freeze(): void
  thaw(): void
  /** Ends the execution environment with SIGTERM, as `docker stop` does; resolves when it has ended. */
  shutdown(): Promise<void>
  /** What emulator and function printed. */
  output(): string
}

/** A process and all that it started; the emulator runs on Linux only. */
function processTree(pid: number): readonly number[] {
  const threads = readdirSync(`/proc/${pid}/task`)
  const children = threads.flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
  return [pid, ...children.filter(Boolean).flatMap((child) => processTree(Number(child)))]
}

/** Starts the emulator; the function's own start comes with the first invocation. */
export async function startEmulator({ command, task, environment }: EmulatorOptions): Promise<Emulator> {
  const [front, runtimeApi] = [`127.0.0.1:${await getPort()}`, `127.0.0.1:${await getPort()}`]
  const args = ['--runtime-interface-emulator-address', front, '--runtime-api-address', runtimeApi, ...command]
  // A process group of its own, so that the runtime goes with it.
  const child = spawn(outsidePart('runtime-interface-emulator', 'aws-lambda-rie'), args, {
    cwd: task,
    env: { ...environment, LAMBDA_TASK_ROOT: task },
    detached: true,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close')
  const isRunning = () => child.exitCode === null && child.signalCode === null
  const signalAll = (signal: NodeJS.Signals) => () => {
    if (child.pid !== undefined) for (const pid of processTree(child.pid)) process.kill(pid, signal)
  }
  const emulator: Emulator = {
    freeze: signalAll('SIGSTOP'),
    thaw: signalAll('SIGCONT'),
    invoke: async (event) => {
      const request = { method: 'POST', body: JSON.stringify(event) }
      return await fetch(`http://${front}/${INVOCATIONS}`, request).then(async (response) => await response.json())
    },
    shutdown: async () => {
      child.kill('SIGTERM')
      await ended
    },
    output: () => output,
    [Symbol.asyncDispose]: async () => {
      if (child.pid !== undefined && isRunning()) process.kill(-child.pid, 'SIGKILL')
      await ended
    },
  }
  const isListening = () =>
    fetch(`http://${front}/`)
      .then(() => true)
      .catch(() => !isRunning())
  await vi.waitUntil(isListening, { timeout: 30_000, interval: 50 })
  if (!isRunning()) throw new Error(`The emulator ended: ${output}`)
  return emulator
}
