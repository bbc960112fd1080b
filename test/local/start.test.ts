import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectNothingLeft, npmStart, START_TIMEOUT_MS, temp } from '../support/npm-start.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const MS = expect.any(Number)
const TLS = { authorized: true, protocol: 'TLSv1.3' }
const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'

test('npm start prints a report for people', { timeout: START_TIMEOUT_MS }, async () => {
  const run = npmStart([])
  expect(await run.ended, run.stderr).toBe(0)
  expect(run.stderr).toContain('… starting PostgreSQL\n')
  expect(run.stdout).toMatch(/^ {2}dist\/layer\.zip, \d+ bytes\n {2}SHA-256 [0-9a-f]{64}$/m)
  expect(run.stdout).toMatch(new RegExp(`^ {2}${HOST},\\n {4}issued by Stand-in Root CA, \\d+ days left$`, 'm'))
  expect(run.stdout).toContain(`postgresql://app:REDACTED@${HOST}:`)
  expect(kinds(run.stdout)).toEqual(['cold', 'warm', 'warm', 'warm', 'thawed'])
  expect(run.stdout.split('\n').filter((line) => line.length > 80 && !line.includes('postgresql://'))).toEqual([])
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

describe('wrong usage', () => {
  test.each([['--jsno'], ['--json', 'extra'], ['--json=yes']])('%j is answered with usage', async (...options) => {
    const run = npmStart(options)
    expect(await run.ended).toBe(2)
    expect(run.stderr).toMatch(/^(?:Unknown option|Unexpected argument|Option '--json' does not take).*\nnpm start \[/)
    expect(run.stdout).toBe('')
  })

  test.each(['--help', '-h'])('%s prints usage, with status 0', async (option) => {
    const run = npmStart([option])
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

  test('a clone that cannot be written to is named in one line and its cause', {
    timeout: START_TIMEOUT_MS,
  }, async () => {
    const clone = join(temp, 'clone')
    const packages = join(clone, 'node_modules')
    mkdirSync(packages, { recursive: true })
    for (const name of ['local', 'layer', 'src', 'package.json'])
      cpSync(join(REPOSITORY, name), join(clone, name), { recursive: true, filter: (path) => !/node-\d+$/.test(path) })
    for (const name of readdirSync(join(REPOSITORY, 'node_modules')).filter((name) => name !== '.cache'))
      symlinkSync(join(REPOSITORY, 'node_modules', name), join(packages, name))
    // In place of a folder, since the superuser may write to folders that are read-only.
    const cache = join(packages, '.cache')
    writeFileSync(cache, '')
    const run = npmStart([], {}, { clone })
    expect(await run.ended).toBe(1)
    const [line, cause, ...others] = run.stderr.split('\n').filter((text) => !text.startsWith('…'))
    expect(line).toBe(
      `npm start failed: cannot write to ${cache}: the layer is built in the clone, which must be writable`,
    )
    expect([cause, others]).toEqual([expect.stringMatching(/^ {2}because: E[A-Z]+: .*'$/), ['']])
    rmSync(clone, { recursive: true })
    await expectNothingLeft()
  })
})
