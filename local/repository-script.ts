/** Runs this repository's scripts, each with all that it starts in a process group of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'

export const REPOSITORY = join(import.meta.dirname, '..')

export interface ScriptOptions {
  readonly args?: readonly string[]
  readonly variables?: Readonly<Record<string, string>>
  /** When aborted, the whole group is killed, and the promise rejects: a compiler would not end by itself for seconds. */
  readonly signal?: AbortSignal | undefined
}

/** @throws Error with the script's output, when it fails */
export async function runScript(
  script: string,
  { args = [], variables = {}, signal }: ScriptOptions = {},
): Promise<void> {
  signal?.throwIfAborted()
  const child = spawn(process.execPath, [resolve(REPOSITORY, script), ...args], {
    cwd: REPOSITORY,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  signal?.addEventListener('abort', kill)
  try {
    const [output, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
    signal?.throwIfAborted()
    if (status !== 0) throw new Error(`${script} failed: ${output.trim()}`)
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}
