/** What `url --show --format` prints, read by the programs that it is for. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../cli/run.ts'
import { type CommandStage, openCommandStage } from '../support/command-stage.ts'
import { outsidePart } from './support/outside-part.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/fidelity')
/** Every character that a URL, a shell or libpq reads as its own. */
const AWKWARD = `p@s:s/w?o#r%d&'"\\ $(x)+=é!`
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-formats-'))

let stage: CommandStage

beforeAll(async () => {
  stage = await openCommandStage()
  const { postgres, user, host } = stage.cloud
  await postgres.changePassword(user, AWKWARD)
  writeFileSync(join(folder, 'hosts'), `127.0.0.1 ${host}\n`)
  const sslrootcert = join(folder, 'root.crt')
  stage.store({ ...stage.fields, password: AWKWARD, sslrootcert, application_name: "a 'b' \\c" })
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await stage?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  writeFileSync(join(folder, 'root.crt'), stage.cloud.authority.certificate)
})

async function shown(format: string): Promise<string> {
  const stdout = new PassThrough()
  const output = text(stdout)
  const words = ['url', '--show', '--secret-id', 'app/db', '--format', format]
  const environment = { AWS_REGION: 'ap-southeast-1', HOME: folder }
  await run(words, { environment, stdin: Readable.from([]), stdout, stderr: new PassThrough() })
  stdout.end()
  return (await output).trimEnd()
}

const PROGRAMS = {
  jdbc: () => [
    outsidePart('jdbc', 'java'),
    `-Djdk.net.hosts.file=${join(folder, 'hosts')}`,
    ...['-cp', outsidePart('jdbc', 'postgresql.jar'), join(FIXTURES, 'jdbc/Connects.java')],
  ],
  sqlalchemy: () => [outsidePart('sqlalchemy', 'bin/python'), join(FIXTURES, 'python/sqlalchemy_connects.py')],
} as const

/** What the program prints that gets the URL in its environment. */
async function connected(format: keyof typeof PROGRAMS, url: string): Promise<string> {
  const [program = '', ...args] = PROGRAMS[format]()
  const env = { PATH: process.env.PATH, HOME: folder, PGHOSTADDR: '127.0.0.1', URL: url }
  const { stdout } = await promisify(execFile)(program, args, { env })
  return stdout.trimEnd()
}

describe.each(Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[])('%s', (format) => {
  test('connects, verified in full, with a password of awkward characters', async () => {
    const { user, database } = stage.cloud
    expect(await connected(format, await shown(format))).toBe(`${user} ${database} a 'b' \\c`)
  })

  test('does not connect to a server of another authority', async () => {
    const url = await shown(format)
    copyFileSync(join(import.meta.dirname, '../../certs/root.crt'), join(folder, 'root.crt'))
    await expect(connected(format, url)).rejects.toMatchObject({
      stderr: expect.stringMatching(/certificate verify failed|unable to find valid certification path/i),
    })
  })
})
