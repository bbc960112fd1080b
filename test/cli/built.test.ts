import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { answerJson, LoopbackHttpServer } from '../../local/loopback/http-server.ts'
import { nodePath } from '../../local/node-versions.ts'
import { expectNoSecret } from '../support/command-line.ts'
import { type CommandStage, openCommandStage } from '../support/command-stage.ts'
import { awsEnvironment } from '../support/product.ts'
import { processList } from '../support/terminal.ts'

const BUILT = join(import.meta.dirname, '../../dist/cli.cjs')

let stage: CommandStage
let lambda: LoopbackHttpServer
let folder: string
let certificate: string
let fields: Readonly<Record<string, unknown>>

beforeAll(async () => {
  stage = await openCommandStage({ hosts: ['127.0.0.1'] })
  // An address, since the process has no stand-in for the names of the Cloud.
  fields = { ...stage.fields, host: '127.0.0.1', cluster: stage.cloud.cluster }
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-built-'))
  certificate = join(folder, 'root.crt')
  writeFileSync(certificate, stage.cloud.authority.certificate)
  lambda = await LoopbackHttpServer.start((_, response) =>
    answerJson(response, 200, { ok: true, timings: { totalMs: 1 } }),
  )
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await lambda?.stop()
  await stage?.[Symbol.asyncDispose]()
})

async function runBuilt(node: string, words: readonly string[], input = '') {
  const child = spawn(node, [BUILT, ...words], {
    env: { ...awsEnvironment(stage.secretsManager), AWS_ENDPOINT_URL_LAMBDA: lambda.url, HOME: '/nonexistent' },
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.stdin.end(input)
  expectNoSecret(processList(), [stage.cloud.password])
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  expectNoSecret(stdout + stderr, [stage.cloud.password])
  return { code: await exited, stdout, stderr }
}

describe.each([22, 24, 26] as const)('on Node.js %d, the built command', (major) => {
  const node = major === 24 ? process.execPath : nodePath(major)

  test('walks to the round trip', async () => {
    stage.store(fields)
    const { code, stdout, stderr } = await runBuilt(node, ['doctor', '--secret-id', 'app/db', '--json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(JSON.parse(stdout).steps.at(-1)).toMatchObject({ step: 'round trip', status: 'passed' })
  })

  test('shows the chain that it does not trust', async () => {
    stage.store({ ...fields, sslrootcert: undefined })
    const { code, stdout } = await runBuilt(node, ['doctor', '--secret-id', 'app/db', '--json'])
    expect(code).toBe(7)
    expect(JSON.parse(stdout).trust.presented).toMatchObject([{ issuer: 'Stand-in Root CA' }])
  })

  test('compares a certificate with a server, and ends by itself', async () => {
    const words = ['cert', 'check', certificate, '--host', `127.0.0.1:${stage.cloud.standIn.port}`, '--json']
    const { code, stdout } = await runBuilt(node, words)
    expect({ code, ok: JSON.parse(stdout).ok }).toEqual({ code: 0, ok: true })
  })

  test('stores a secret, and asks a function', async () => {
    const put = await runBuilt(node, ['secret', 'put', '--secret-id', 'app/db'], JSON.stringify(fields))
    expect(put).toMatchObject({ code: 0, stderr: '' })
    const { code, stdout } = await runBuilt(node, ['doctor', '--function', 'health-check', '--json'])
    expect({ code, ok: JSON.parse(stdout).function.health.ok }).toEqual({ code: 0, ok: true })
  })
})
