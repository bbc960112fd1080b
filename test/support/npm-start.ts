/** `npm start` as a terminal would start it, and proof that it left nothing: no process, no file. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, vi } from 'vitest'

const REPOSITORY = join(import.meta.dirname, '../..')
export const START_TIMEOUT_MS = 120_000
const WAIT = { timeout: START_TIMEOUT_MS / 2, interval: 20 }

/** Of the test that runs. */
export let temp: string

/** A temp folder of its own, which PostgreSQL's unprivileged user can read. */
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'cockroach-lambda-start-'))
  chmodSync(temp, 0o755)
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

export interface Run {
  readonly child: ChildProcess & { pid: number }
  /** What it has written so far. */
  stdout: string
  stderr: string
  readonly ended: Promise<number | null>
}

export interface Place {
  /** The folder of package.json. @default this repository */
  readonly clone?: string
  /** The folder in which npm is called, with --prefix if it is another than the clone. @default the clone */
  readonly calledIn?: string
}

/** `npm start` as a terminal would start it: leader of a process group. */
export function npmStart(
  options: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  { clone = REPOSITORY, calledIn = clone }: Place = {},
): Run {
  const separated = options.length === 0 ? [] : ['--', ...options]
  const prefix = calledIn === clone ? [] : ['--prefix', clone]
  const child = spawn('npm', ['start', '--silent', ...prefix, ...separated], {
    cwd: calledIn,
    // Node's compile cache, which npm turns on for itself, goes into the temp folder. INIT_CWD is of the npm that runs the tests.
    env: { ...process.env, INIT_CWD: undefined, TMPDIR: temp, NODE_DISABLE_COMPILE_CACHE: '1', ...variables },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error('npm did not start')
  const run: Run = {
    child: Object.assign(child, { pid }),
    stdout: '',
    stderr: '',
    ended: once(child, 'close').then(([status]) => status),
  }
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    run.stdout += more
  })
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    run.stderr += more
  })
  return run
}

/** Waits until it writes these words to stderr; fails at once when it ends without them. */
export async function untilItSays(run: Run, words: string): Promise<void> {
  let hasEnded = false
  void run.ended.then(() => {
    hasEnded = true
  })
  await vi.waitUntil(() => hasEnded || run.stderr.includes(words), WAIT)
  expect(run.stderr).toContain(words)
}

/** Ctrl-C: the terminal sends SIGINT to every process of the group, and npm passes it on once more. */
export function interrupt({ child }: Run): void {
  process.kill(-child.pid, 'SIGINT')
}

/** Processes that have the name of this test's temp folder, by command line or environment; Linux only, empty elsewhere. */
function processesLeft(): string[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ['cmdline', 'environ'].map((file) => contents(`/proc/${pid}/${file}`)).join('\0'))
    .filter((known) => known.includes(temp))
}

/** Empty when the process has gone meanwhile. */
function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Watchdogs end a moment after the processes that they watched; and another build may run meanwhile. */
export async function expectNothingLeft(): Promise<void> {
  await vi.waitFor(
    () => {
      expect(processesLeft()).toEqual([])
      expect(readdirSync(join(REPOSITORY, 'node_modules/.cache')).filter((name) => name.startsWith('dist-'))).toEqual(
        [],
      )
    },
    { timeout: 30_000, interval: 50 },
  )
  expect(readdirSync(temp)).toEqual([])
}
