import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { type CommandStage, openCommandStage } from '../../support/command-stage.ts'
import { credentialsOf, makeCertificate, startTlsServer } from '../../support/tls-server.ts'

const LAYER_FILE = join(import.meta.dirname, '../../../certs/root.crt')

let stage: CommandStage
let folder: string
let file: string
let host: string

beforeAll(async () => {
  stage = await openCommandStage()
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-cert-'))
  file = join(folder, 'root.crt')
  writeFileSync(file, stage.cloud.authority.certificate)
  host = `${stage.cloud.host}:${stage.cloud.standIn.port}`
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await stage?.[Symbol.asyncDispose]()
})

async function check(...words: string[]) {
  const { code, stdout } = await stage.run(['cert', 'check', '--json', ...words])
  return { code, report: JSON.parse(stdout) }
}

test('prints what the file holds: the layer has both roots of the Cloud', async () => {
  const { code, stdout } = await stage.run(['cert', 'check', LAYER_FILE])
  expect(code).toBe(0)
  expect(stdout).toMatch(/ISRG Root X1, \d+ days left\n\s+issued by ISRG Root X1\n\s+SHA-256\n\s+96:BC:EC:06:/)
  expect(stdout).toContain('ISRG Root X2')
})

test("without a file it is what the environment names, else Node's own roots", async () => {
  const { stdout } = await stage.run(['cert', 'check'], { environment: { PGSSLROOTCERT: file } })
  expect(stdout).toContain('Stand-in Root CA')
  expect((await stage.run(['cert', 'check'])).stdout).toContain("Node's own roots")
})

test("a server's chain that ends in it is exit code 0, and nothing is logged in", async () => {
  stage.cloud.standIn.resetCounts()
  const { code, report } = await check(file, '--host', host)
  expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true })
  expect(report.presented[0]).toMatchObject({ subject: stage.cloud.host, issuer: 'Stand-in Root CA' })
  expect(stage.cloud.standIn.counts).toMatchObject({ startups: 0 })
})

test('a chain that ends elsewhere is exit code 7, with both sides', async () => {
  const other = join(folder, 'other.crt')
  writeFileSync(other, (await createCertificateAuthority('Another Root CA')).certificate)
  const { code, report } = await check(other, '--host', host)
  expect(code).toBe(7)
  expect(report).toMatchObject({
    rootCertificate: [{ subject: 'Another Root CA' }],
    presented: [{ subject: stage.cloud.host }],
    failure: { step: 'chain', code: 'ERR_TLS' },
  })
  const { stdout } = await stage.run(['cert', 'check', other, '--host', host])
  expect(stdout).toMatch(/✗ chain[\s\S]+Another Root CA[\s\S]+the server presents:[\s\S]+Stand-in Root CA[\s\S]+mend/)
})

test('a host that is not in the certificate is exit code 7', async () => {
  const { code, report } = await check(file, '--host', `127.0.0.1:${stage.cloud.standIn.port}`)
  expect({ code, step: report.failure.step }).toEqual({ code: 7, step: 'host name' })
})

test('a chain with an intermediate is shown from the server upwards; TLS 1.2 too', async () => {
  const root = await makeCertificate({ name: 'Root', isAuthority: true })
  const middle = await makeCertificate({ name: 'Middle', signer: root, isAuthority: true })
  const leaf = await makeCertificate({ name: 'Leaf', signer: middle, host: 'localhost' })
  const unrelated = join(folder, 'unrelated.crt')
  writeFileSync(unrelated, stage.cloud.authority.certificate)
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    await using server = await startTlsServer({ ...(await credentialsOf(leaf, middle)), maxVersion })
    const { report } = await check(unrelated, '--host', `localhost:${server.port}`)
    expect(report.presented.map(({ subject }: { subject: string }) => subject)).toEqual(['Leaf', 'Middle'])
    expect(server.heard()).toBe(0)
  }
})

test.each([
  ['is not there', () => join(folder, 'absent.crt'), /cannot be read: ENOENT/],
  ['is empty', () => '/dev/null', /is not a regular file/],
  ['is a page', () => join(folder, 'page.crt'), /holds no PEM certificate/],
])('a file that %s is exit code 7', async (_, name: () => string, saw) => {
  writeFileSync(join(folder, 'page.crt'), '<html></html>')
  const { code, report } = await check(name())
  expect({ code, saw: report.failure.saw }).toEqual({ code: 7, saw: expect.stringMatching(saw) })
})
