import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { readArguments } from '../../../cli/arguments.ts'
import { certFetch } from '../../../cli/certificate/fetch.ts'
import { COMMANDS } from '../../../cli/commands.ts'
import { type CertificateAuthority, createCertificateAuthority } from '../../../local/certificates.ts'
import { LoopbackHttpServer } from '../../../local/loopback/http-server.ts'

const ID = '0fe28ff8-a1b6-4b4c-8f35-1d4d5a1f6a10'

let authority: CertificateAuthority
let clusterAuthority: CertificateAuthority
let server: LoopbackHttpServer
let answer: { readonly status: number; readonly body: string }
let paths: string[]
let home: string

beforeAll(async () => {
  authority = await createCertificateAuthority('Web CA')
  clusterAuthority = await createCertificateAuthority('Cluster CA')
  server = await LoopbackHttpServer.start(
    (request, response) => {
      paths.push(request.url ?? '')
      response.writeHead(answer.status).end(answer.body)
    },
    await authority.issue({ hosts: ['127.0.0.1'] }),
  )
})

afterAll(() => server?.stop())

beforeEach(() => {
  paths = []
  answer = { status: 200, body: clusterAuthority.certificate }
  home = mkdtempSync(join(tmpdir(), 'cockroach-lambda-home-'))
  return () => rmSync(home, { recursive: true, force: true })
})

async function fetchCertificate(words: readonly string[] = ['--cluster-id', ID], ca = authority.certificate) {
  const command = COMMANDS.find(({ name }) => name === 'cert fetch')
  if (command === undefined) throw new Error('there is no such command')
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const [out, err] = [text(stdout), text(stderr)]
  const context = { environment: { HOME: home }, stdin: Readable.from([]), stdout, stderr }
  const work = certFetch({ origin: server.url, ca })(readArguments(command, words), context)
  const code = await work.finally(() => {
    stdout.end()
    stderr.end()
  })
  return { code, stdout: await out, stderr: await err }
}

test('writes the certificate to where libpq looks, and prints what it holds', async () => {
  const { code, stdout } = await fetchCertificate()
  expect(code).toBe(0)
  expect(paths).toEqual([`/clusters/${ID}/cert`])
  expect(readFileSync(join(home, '.postgresql/root.crt'), 'utf8').trim()).toBe(clusterAuthority.certificate.trim())
  expect(readdirSync(join(home, '.postgresql'))).toEqual(['root.crt'])
  expect(stdout).toMatch(/written to\s.*Cluster CA, \d+ days left/s)
})

test('a file that is another is not replaced without --force', async () => {
  const file = join(home, 'root.crt')
  writeFileSync(file, 'of somebody else')
  await expect(fetchCertificate(['--cluster-id', ID, '--out', file])).rejects.toThrow(/--force replaces it/)
  expect(readFileSync(file, 'utf8')).toBe('of somebody else')
  expect(await fetchCertificate(['--cluster-id', ID, '--out', file, '--force'])).toMatchObject({ code: 0 })
  // The same once more changes nothing.
  expect(await fetchCertificate(['--cluster-id', ID, '--out', file])).toMatchObject({ code: 0 })
})

test.each([
  ['no such cluster', 404, '', /answers 404/],
  ['a page for people', 302, '', /answers 302/],
  ['something else', 200, '<html>Sign in</html>', /not a certificate/],
  ['a great deal', 200, 'x'.repeat(2 ** 21), /more than 1048576 bytes/],
])('%s is not written, and is exit code 9', async (_, status, body, says) => {
  answer = { status, body }
  const { code, stderr } = await fetchCertificate()
  expect({ code, stderr: stderr.replaceAll(/\s+/g, ' ') }).toEqual({ code: 9, stderr: expect.stringMatching(says) })
  expect(stderr).toContain('Download CA Cert')
  expect(existsSync(join(home, '.postgresql'))).toBe(false)
})

test('a server that is not trusted is not asked', async () => {
  const { code } = await fetchCertificate(undefined, clusterAuthority.certificate)
  expect({ code, paths }).toEqual({ code: 9, paths: [] })
})

test.each([[], ['--cluster-id', 'cozy-otter-4821'], ['--cluster-id', '../../etc']])(
  '%j is a wrong command line',
  async (...words) => {
    await expect(fetchCertificate(words)).rejects.toThrow(/needs the UUID/)
  },
)
