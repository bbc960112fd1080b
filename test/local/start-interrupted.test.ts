/** `npm start` that is interrupted, at each of its steps and while it serves, stops everything. */
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import {
  expectNothingLeft,
  interrupt,
  npmStart,
  type Run,
  START_TIMEOUT_MS,
  temp,
  untilItSays,
} from '../support/npm-start.ts'

/** A supervisor sends SIGTERM to npm alone. */
function terminate({ child }: Run): void {
  process.kill(child.pid, 'SIGTERM')
}

/** When `dist/` was built last. */
function builtAtMs(): number {
  return statSync(join(import.meta.dirname, '../../dist/layer.zip')).mtimeMs
}

const TLS = { authorized: true, protocol: 'TLSv1.3' }

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

function backendPids(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => (name === 'backendPid' ? [member] : backendPids(member)))
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
    const before = builtAtMs()
    send(run)
    expect(await run.ended, run.stderr).toBe(status)
    // A build under way is not waited for, which would replace the last one.
    expect(builtAtMs()).toBe(before)
    expect(run.stderr.match(/^Interrupted: stopping everything\.$/gm)).toHaveLength(1)
    expect(run.stdout).toBe('')
    await expectNothingLeft()
  })
})

test('an invocation of npm start -- --function that hangs is not waited for', {
  timeout: START_TIMEOUT_MS,
}, async () => {
  const folder = join(temp, 'mine')
  const invoked = join(folder, 'invoked')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'index.mjs'),
    `import { writeFileSync } from 'node:fs'
    export const handler = async () => {
      writeFileSync(${JSON.stringify(invoked)}, '')
      await new Promise((resolve) => setTimeout(resolve, 600_000))
    }`,
  )
  const run = npmStart(['--function', folder])
  await vi.waitUntil(() => existsSync(invoked), { timeout: START_TIMEOUT_MS / 2, interval: 20 })
  const startedAt = performance.now()
  terminate(run)
  expect(await run.ended, run.stderr).toBe(143)
  // Its time-out is 30 s.
  expect(performance.now() - startedAt).toBeLessThan(20_000)
  expect(run.stdout).toBe('')
  rmSync(folder, { recursive: true })
  await expectNothingLeft()
})
