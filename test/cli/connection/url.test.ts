import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FORMATS } from '../../../cli/connection/formats.ts'
import { run } from '../../../cli/run.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'
import { read } from '../../support/connection-string.ts'

/** Every character that a URL, a shell or libpq reads as its own. */
const AWKWARD = `p@s:s/w?o#r%d&'"\\ $(x)+=é!`
const DATABASE = 'cozy-otter-4821.defaultdb'

let stage: CommandStage
let folder: string
let sslrootcert: string

beforeAll(async () => {
  stage = await openCommandStage()
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-url-'))
  sslrootcert = join(folder, 'root.crt')
  writeFileSync(sslrootcert, stage.cloud.authority.certificate)
  stage.store({ ...stage.fields, password: AWKWARD, sslrootcert, application_name: "a 'b' \\c" })
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await stage?.[Symbol.asyncDispose]()
})

/** With the password, which `stage.run` would look for. */
async function shown(format: string): Promise<string> {
  const stdout = new PassThrough()
  const output = text(stdout)
  const words = ['url', '--show', '--secret-id', 'app/db', '--format', format]
  const environment = { AWS_REGION: 'ap-southeast-1', HOME: '/nonexistent' }
  const code = await run(words, { environment, stdin: Readable.from([]), stdout, stderr: new PassThrough() })
  stdout.end()
  expect(code).toBe(0)
  return (await output).trimEnd()
}

function expected() {
  const { host, user, standIn } = stage.cloud
  const server = { host, port: standIn.port, dbname: DATABASE, user, sslmode: 'verify-full', sslrootcert }
  return { ...server, application_name: "a 'b' \\c", password: AWKWARD }
}

/** What a shell makes of a line: its words, or the variables that it sets. */
function inShell(script: string, ...words: string[]): string {
  return execFileSync('sh', ['-c', script, 'sh', ...words], { encoding: 'utf8', env: { PATH: process.env.PATH } })
}

describe('--show', () => {
  test.each(['uri', 'jdbc', 'sqlalchemy'])('%s names the same connection', async (format) => {
    expect(read(await shown(format))).toEqual(expected())
  })

  test('sqlalchemy has the dialect of CockroachDB for its Cloud', async () => {
    expect(await shown('sqlalchemy')).toMatch(/^cockroachdb\+psycopg2:\/\//)
  })

  test('psql is a line for a shell, with the password in front of the command', async () => {
    const line = await shown('psql')
    const [, string = ''] = inShell(`psql() { printf 'psql|%s\\n' "$1"; printf %s "$PGPASSWORD"; }; ${line}`).split(
      'psql|',
    )
    const { password: _, ...withoutPassword } = expected()
    const [keywords = '', password] = string.split('\n')
    expect(read(keywords)).toEqual(withoutPassword)
    expect(password).toBe(AWKWARD)
  })

  test('env sets the variables of libpq', async () => {
    const lines = await shown('env')
    const printed = inShell(
      `${lines}\nprintf '%s\\n' "$PGHOST" "$PGPORT" "$PGDATABASE" "$PGUSER" "$PGPASSWORD" "$PGAPPNAME" "$PGSSLMODE"`,
    )
    const { host, port, dbname, user, application_name } = expected()
    expect(printed.trimEnd().split('\n')).toEqual([
      host,
      String(port),
      dbname,
      user,
      AWKWARD,
      application_name,
      'verify-full',
    ])
  })

  test('prisma verifies the server, by the words of Prisma', async () => {
    const [, url = ''] = /^DATABASE_URL="(.*)"$/.exec(await shown('prisma')) ?? []
    const { password, pathname, searchParams } = new URL(url)
    expect(decodeURIComponent(password)).toBe(AWKWARD)
    expect(pathname).toBe(`/${DATABASE}`)
    expect(Object.fromEntries(searchParams)).toEqual({ sslmode: 'require', sslaccept: 'strict', sslcert: sslrootcert })
  })
})

describe('without --show', () => {
  test.each([...FORMATS.keys()])('%s has no password', async (format) => {
    const line = { secrets: [AWKWARD, 'p@s:s'] }
    const { code, stdout, stderr } = await stage.run(['url', '--secret-id', 'app/db', '--format', format], line)
    expect(code).toBe(0)
    expect(stdout).toContain('REDACTED')
    expect(stdout).toContain(stage.cloud.host)
    expect(stderr).toContain('--show prints it')
  })

  test('the environment is read without a secret', async () => {
    const environment = { DATABASE_URL: 'postgresql://app:pw-of-nobody@db.example/d' }
    const { stdout, stderr } = await stage.run(['url'], { environment, secrets: ['pw-of-nobody'] })
    expect(stdout).toBe('postgresql://app:REDACTED@db.example:5432/d?sslmode=verify-full&sslrootcert=system\n')
    expect(stderr).toContain('libpq 16')
  })
})

test('a format that is not there names the nearest', async () => {
  const { code, stderr } = await stage.run(['url', '--format', 'prizma'])
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('did you mean prisma?') })
})

test('a secret that is no secret has the exit code of its class', async () => {
  const { code, stdout } = await stage.run(['url', '--secret-id', 'app/absent'])
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' })
})
