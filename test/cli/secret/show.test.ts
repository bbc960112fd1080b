import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'

let stage: CommandStage

beforeAll(async () => {
  stage = await openCommandStage()
})

afterAll(() => stage?.[Symbol.asyncDispose]())

test('prints version and fields, with the password redacted', async () => {
  const { code, stdout } = await stage.run(['secret', 'show', '--secret-id', 'app/db'])
  expect(code).toBe(0)
  expect(stdout).toMatch(/^version +[\da-f-]{36}$/m)
  expect(stdout).toMatch(/^password +\[redacted\]$/m)
  expect(stdout).toMatch(/^sslrootcert +\(\d+ characters\)$/m)
  expect(stdout).toContain(stage.cloud.host)
})

test('--json prints the same for programs', async () => {
  const { stdout } = await stage.run(['secret', 'show', '--json'], { environment: { COCKROACH_SECRET_ID: 'app/db' } })
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ secretId: 'app/db', versionStage: 'AWSCURRENT' },
    fields: { host: stage.cloud.host, user: stage.cloud.user, password: '[redacted]', dbname: 'defaultdb' },
  })
})

test('a secret that is no secret is explained, with the exit code of its class', async () => {
  stage.store('pw-of-nobody')
  const line = { secrets: ['pw-of-nobody'] }
  const { code, stdout, stderr } = await stage.run(['secret', 'show', '--secret-id', 'app/db'], line)
  expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
  expect(stderr).toMatch(/neither a URL nor keyword=value[\s\S]+secret put --secret-id app\/db/)
})
