import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
})

afterAll(() => cloud[Symbol.asyncDispose]())

// `npm test` needs npm packages only; in CI a missing psql is an error.
const mustRunPsql = process.env.CI !== undefined || spawnSync('psql', ['--version']).status === 0

describe.runIf(mustRunPsql)('psql', () => {
  let folder: string
  const run = promisify(execFile)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'psql-'))
    await writeFile(join(folder, 'root.crt'), cloud.authority.certificate)
  })
  afterAll(async () => await rm(folder, { recursive: true }))

  function psql(database: string, options = ''): Promise<{ stdout: string }> {
    const url = `postgresql://${cloud.user}@${cloud.host}:${cloud.standIn.port}/${database}?sslmode=verify-full&sslrootcert=${folder}/root.crt${options}`
    const env = { ...process.env, PGHOSTADDR: '127.0.0.1', PGPASSWORD: cloud.password }
    return run('psql', ['--no-psqlrc', '-At', '-c', 'select current_database()', url], { env })
  }

  const rows: [string, string, string][] = [
    ['the prefix of the database', 'cozy-otter-4821.defaultdb', ''],
    ['options', 'defaultdb', '&options=--cluster%3Dcozy-otter-4821'],
    ['the server name', 'defaultdb', ''],
  ]
  test.each(rows)('logs in by %s', async (_, database, options) => {
    expect((await psql(database, options)).stdout).toBe(`${cloud.database}\n`)
  })

  test('shows message and hint of a refusal', async () => {
    await expect(psql('cozy-otter-x.defaultdb')).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /FATAL: {2}codeParamsRoutingFailed: invalid cluster identifier 'cozy-otter-x'\nHINT:/,
      ),
    })
  })
})
