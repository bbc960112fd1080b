import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expectNoSecret } from '../../support/command-line.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'
import { awsEnvironment } from '../../support/product.ts'
import { processList } from '../../support/terminal.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')

/** Stands in for psql: reports what it was given, and waits for its standard input to end. */
const REPORTER = `#!/usr/bin/env node
const { readFileSync, statSync } = require('node:fs')
const { PGPASSFILE } = process.env
const mode = (statSync(PGPASSFILE).mode & 0o777).toString(8)
process.stdout.write(JSON.stringify({ words: process.argv.slice(2), environment: process.env, mode, line: readFileSync(PGPASSFILE, 'utf8') }))
process.stdin.resume().on('end', () => process.exit(3))
`

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'])
    return true
  } catch {
    return false
  }
}

const isMissing = !hasPsql()
if (isMissing && process.env.CI)
  throw new Error('psql is missing; CI must install it: apt-get install postgresql-client')

let stage: CommandStage
let folder: string

beforeAll(async () => {
  stage = await openCommandStage()
})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-psql-test-'))
  return () => rmSync(folder, { recursive: true, force: true })
})

afterAll(() => stage?.[Symbol.asyncDispose]())

function start(words: readonly string[], path: string) {
  const command = [`--import=${LOOPBACK_NAMES}`, join(REPOSITORY, 'cli/main.ts'), 'psql', '--secret-id', 'app/db']
  return spawn(process.execPath, [...command, ...words], {
    env: {
      ...awsEnvironment(stage.secretsManager),
      ...{ PATH: path, HOME: '/nonexistent', TMPDIR: folder, PGHOST: 'other.example', PGPASSWORD: 'other' },
      // The names of the Cloud's hosts are in nobody's DNS.
      PGHOSTADDR: '192.0.2.1',
    },
  })
}

describe('psql', () => {
  test('gets connection and words; the password is in a file of its owner alone, until psql ends', async () => {
    writeFileSync(join(folder, 'psql'), REPORTER)
    chmodSync(join(folder, 'psql'), 0o755)
    const child = start(['--', '-c', 'select 1'], `${folder}:${process.env.PATH}`)
    const [chunk] = await new Promise<Buffer[]>((resolve) => child.stdout.once('data', (data) => resolve([data])))
    const { words, environment, mode, line } = JSON.parse(String(chunk))
    expectNoSecret(processList(), [stage.cloud.password])
    child.stdin.end()
    const [code] = await new Promise<unknown[]>((resolve) => child.once('close', (...end) => resolve(end)))
    expect(code).toBe(3)
    expect(words).toEqual(['-c', 'select 1'])
    expect({ mode, line }).toEqual({ mode: '600', line: `*:*:*:*:${stage.cloud.password}\n` })
    expectNoSecret(JSON.stringify(environment), [stage.cloud.password])
    expect(environment).toMatchObject({
      ...{ PGHOST: stage.cloud.host, PGPORT: String(stage.cloud.standIn.port), PGUSER: stage.cloud.user },
      ...{ PGDATABASE: 'cozy-otter-4821.defaultdb', PGSSLMODE: 'verify-full' },
    })
    expect(Object.keys(environment)).not.toContain('PGPASSWORD')
    expect(Object.keys(environment)).not.toContain('PGHOSTADDR')
    expect(existsSync(environment.PGPASSFILE)).toBe(false)
    expect(readdirSync(folder)).toEqual(['psql'])
  })

  test('that is not installed is exit code 127, and what to install', async () => {
    const child = start([], folder)
    const output = await text(child.stderr)
    expect(output).toContain('apt-get install postgresql-client')
    expect(child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)))).toBe(127)
  })

  test.skipIf(isMissing)('logs in, with libpq verifying the server', async () => {
    const { standIn, authority } = stage.cloud
    // libpq resolves names itself, and none of the Cloud's leads here: the certificate is for this name as well.
    standIn.certificate = await authority.issue({ hosts: ['localhost'] })
    stage.store({ ...stage.fields, host: 'localhost', cluster: 'cozy-otter-4821' })
    const child = start(['--', '-Atc', 'select 40 + 2'], String(process.env.PATH))
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect({ stdout, stderr }).toEqual({ stdout: '42\n', stderr: '' })
  })
})
