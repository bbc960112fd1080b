import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const REPOSITORY = join(import.meta.dirname, '../..')
const START_TIMEOUT_MS = 120_000
const WAIT = { timeout: START_TIMEOUT_MS / 2, interval: 20 }

let temp: string

/** A temp folder of its own, which PostgreSQL's unprivileged user can read. */
beforeEach(() => {
  temp = mkdtempSync(join(tmpdir(), 'cockroach-lambda-start-'))
  chmodSync(temp, 0o755)
})
afterEach(() => rmSync(temp, { recursive: true, force: true }))

interface Run {
  readonly child: ChildProcess & { pid: number }
  /** What it has written so far. */
  stdout: string
  stderr: string
  readonly ended: Promise<number | null>
}

/** `npm start` as a terminal would start it: leader of a process group. */
function npmStart(options: readonly string[], variables: Readonly<Record<string, string>> = {}): Run {
  const separated = options.length === 0 ? [] : ['--', ...options]
  const child = spawn('npm', ['start', '--silent', ...separated], {
    cwd: REPOSITORY,
    // Node's compile cache, which npm turns on for itself, goes into the temp folder.
    env: { ...process.env, TMPDIR: temp, NODE_DISABLE_COMPILE_CACHE: '1', ...variables },
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
async function untilItSays(run: Run, words: string): Promise<void> {
  let hasEnded = false
  void run.ended.then(() => {
    hasEnded = true
  })
  await vi.waitUntil(() => hasEnded || run.stderr.includes(words), WAIT)
  expect(run.stderr).toContain(words)
}

/** Ctrl-C: the terminal sends SIGINT to every process of the group, and npm passes it on once more. */
function interrupt({ child }: Run): void {
  process.kill(-child.pid, 'SIGINT')
}

/** A supervisor sends SIGTERM to npm alone. */
function terminate({ child }: Run): void {
  process.kill(child.pid, 'SIGTERM')
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
async function expectNothingLeft(): Promise<void> {
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

const MS = expect.any(Number)
const TLS = { authorized: true, protocol: 'TLSv1.3' }
const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'

test('npm start prints a report for people', { timeout: START_TIMEOUT_MS }, async () => {
  const run = npmStart([])
  expect(await run.ended, run.stderr).toBe(0)
  expect(run.stderr).toContain('… starting PostgreSQL\n')
  expect(run.stdout).toMatch(/^ {2}dist\/layer\.zip, \d+ bytes, SHA-256 [0-9a-f]{64}$/m)
  expect(run.stdout).toMatch(new RegExp(`^ {2}${HOST}, issued by Stand-in Root CA, \\d+ days left$`, 'm'))
  expect(run.stdout).toContain(`postgresql://app:REDACTED@${HOST}:`)
  expect(kinds(run.stdout)).toEqual(['cold', 'warm', 'warm', 'warm', 'thawed'])
  expect(run.stdout).toMatch(/^All well: .*\n$/m)
  await expectNothingLeft()
})

/** First column of the table. */
function kinds(stdout: string): string[] {
  return [...stdout.matchAll(/^│ (cold|warm|thawed) +│ ok +│/gm)].map(([, kind = '']) => kind)
}

test('npm start --json prints one document with the same report', { timeout: START_TIMEOUT_MS }, async () => {
  const run = npmStart(['--json'])
  expect(await run.ended, run.stderr).toBe(0)
  const report: unknown = JSON.parse(run.stdout)
  const later = { ok: true, ms: MS, reused: true, backendPid: MS, tls: TLS }
  expect(report).toEqual({
    ok: true,
    layer: { path: 'dist/layer.zip', bytes: MS, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    connection: {
      redacted: expect.stringMatching(
        new RegExp(
          `^postgresql://app:REDACTED@${HOST}:\\d+/cozy-otter-4821\\.defaultdb\\?sslmode=verify-full&sslrootcert=/opt/certs/root\\.crt$`,
        ),
      ),
      host: HOST,
      database: 'cozy-otter-4821.defaultdb',
      sslmode: 'verify-full',
      sslrootcert: '/opt/certs/root.crt',
    },
    tls: { ...TLS, cipher: expect.any(String), chain: [expect.any(Object), expect.any(Object)] },
    invocations: [
      { kind: 'cold', ok: true, ms: MS, reused: false, backendPid: MS, tls: TLS },
      ...['warm', 'warm', 'warm', 'thawed'].map((kind) => ({ kind, ...later })),
    ],
  })
  expect(new Set(backendPids(report)).size).toBe(1)
  await expectNothingLeft()
})

function backendPids(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => (name === 'backendPid' ? [member] : backendPids(member)))
}

test('npm start --serve invokes on request until interrupted', { timeout: START_TIMEOUT_MS }, async () => {
  const run = npmStart(['--serve', '--json'])
  await untilItSays(run, '/thaw\n')
  const urls = [...run.stderr.matchAll(/http:\/\/127\.0\.0\.1:\d+\/\w+/g)].map(([url]) => url)
  const [invoke = '', freeze = '', thaw = ''] = urls

  // One document, although the URLs were printed too.
  const [backendPid] = backendPids(JSON.parse(run.stdout))
  const well = { ok: true, reused: true, backendPid, tls: TLS }
  expect(await getJson(invoke)).toMatchObject({ kind: 'warm', ...well })
  expect(await getJson(freeze)).toEqual({ frozen: true })
  expect(await getJson(thaw)).toMatchObject({ kind: 'thawed', ...well })
  const elsewhere = await fetch(new URL('/elsewhere', invoke))
  expect([elsewhere.status, await elsewhere.json()]).toEqual([404, { paths: ['/invoke', '/freeze', '/thaw'] }])

  interrupt(run)
  expect(await run.ended, run.stderr).toBe(0)
  await expectNothingLeft()
})

async function getJson(url: string): Promise<unknown> {
  return await (await fetch(url)).json()
}

describe('interrupted', () => {
  test.each([
    ['initialising PostgreSQL', interrupt, 130],
    ['PostgreSQL listens', terminate, 143],
    ['synthesising the stack', interrupt, 130],
    ['invoking', interrupt, 130],
  ])('while %s, npm start stops everything', { timeout: START_TIMEOUT_MS }, async (step, send, status) => {
    const run = npmStart([])
    await untilItSays(run, `… ${step}`)
    send(run)
    expect(await run.ended, run.stderr).toBe(status)
    expect(run.stderr.match(/^Interrupted: stopping everything\.$/gm)).toHaveLength(1)
    expect(run.stdout).toBe('')
    await expectNothingLeft()
  })
})

describe('wrong usage', () => {
  test.each([['--jsno'], ['--json', 'extra'], ['--json=yes']])('%j is answered with usage', async (...options) => {
    const run = npmStart(options)
    expect(await run.ended).toBe(2)
    expect(run.stderr).toMatch(/^(?:Unknown option|Unexpected argument|Option '--json' does not take).*\nnpm start \[/)
    expect(run.stdout).toBe('')
  })

  test('--help prints usage, with status 0', async () => {
    const run = npmStart(['--help'])
    expect(await run.ended).toBe(0)
    expect(run.stdout).toMatch(/^npm start \[-- --json\] \[-- --serve\]\n/)
  })
})

describe('failing', () => {
  test('a temp folder that is a file is named, without a stack', async () => {
    const file = join(temp, 'file')
    writeFileSync(file, '')
    const run = npmStart([], { TMPDIR: file })
    expect(await run.ended).toBe(1)
    expect(run.stderr).toContain(
      `npm start failed: cannot make a folder in ${file}; set TMPDIR to a folder that can be written to\n`,
    )
    expect(run.stderr).not.toMatch(/^ +at /m)
    rmSync(file)
    await expectNothingLeft()
  })
})
