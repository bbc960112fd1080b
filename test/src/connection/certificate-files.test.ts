import { X509Certificate } from 'node:crypto'
import { lchownSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { getCACertificates } from 'node:tls'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { rootCertificatePath } from '../../../src/connection/certificate-files.ts'
import type { RootCertificate } from '../../../src/connection/root-certificate.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

let temporary: TemporaryFolder
let pem: string
let otherPem: string

beforeAll(async () => {
  temporary = await TemporaryFolder.open()
  pem = (await createCertificateAuthority('Root')).certificate
  otherPem = (await createCertificateAuthority('Other')).certificate
})

afterAll(async () => {
  await temporary?.[Symbol.asyncDispose]()
})

function pathOf(ca: readonly string[] | undefined, path?: string): string {
  const certificate: RootCertificate = { origin: 'node', path, ca, warnings: [] }
  return rootCertificatePath(certificate)
}

/** The file's folder, checked before anything is removed. */
function folderOf(path: string): string {
  const folder = dirname(path)
  if (dirname(folder) !== temporary.path) expect.fail(`${path} is not in a folder of its own`)
  return folder
}

function fingerprints(text: string): string[] {
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return certificates.map((each) => new X509Certificate(each).fingerprint256)
}

test('a root certificate that has a file is that file', () => {
  expect(pathOf([pem], '/opt/certs/root.crt')).toBe('/opt/certs/root.crt')
})

test("Node's own roots are a file that holds all that Node verifies with, the same one each time", () => {
  const path = pathOf(undefined)
  const roots = getCACertificates('default')
  expect(roots.length).toBeGreaterThan(100)
  expect(fingerprints(readFileSync(path, 'utf8'))).toEqual(fingerprints(roots.join('\n')))
  expect(pathOf(undefined)).toBe(path)
})

test('text is a file, the same one each time, in a folder of the owner’s', () => {
  const path = pathOf([pem, otherPem])
  expect(pathOf([pem, otherPem])).toBe(path)
  expect(fingerprints(readFileSync(path, 'utf8'))).toEqual(fingerprints(pem + otherPem))
  expect(statSync(folderOf(path)).mode & 0o077).toBe(0)
  expect(pathOf([otherPem])).not.toBe(path)
})

test.each<[string, (path: string) => void]>([
  ['the file was deleted', (path) => rmSync(path)],
  ['the file was emptied', (path) => writeFileSync(path, '')],
  ['the folder was deleted', (path) => rmSync(folderOf(path), { recursive: true })],
])('is made again when %s', (_, damage) => {
  const path = pathOf([pem])
  const text = readFileSync(path, 'utf8')
  damage(path)
  expect(readFileSync(pathOf([pem]), 'utf8')).toBe(text)
})

const NOBODY = 65_534

test.each<[string, (folder: string) => void]>([
  [
    'a link',
    (folder) => {
      const theirs = join(temporary.path, 'theirs')
      mkdirSync(theirs)
      writeFileSync(join(theirs, 'root.crt'), otherPem)
      symlinkSync(theirs, folder)
    },
  ],
  ['a file', (folder) => writeFileSync(folder, otherPem)],
])('is made elsewhere when %s was put into the place of its deleted folder', (_, plant) => {
  expectMadeElsewhere(plant)
})

// Only root can give a folder away.
test.runIf(process.geteuid?.() === 0)('is made elsewhere when another user made a folder in that place', () => {
  expectMadeElsewhere((folder) => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'root.crt'), otherPem)
    lchownSync(folder, NOBODY, NOBODY)
  })
})

function expectMadeElsewhere(plant: (folder: string) => void): void {
  const folder = folderOf(pathOf([pem]))
  rmSync(folder, { recursive: true })
  plant(folder)
  const path = pathOf([pem])
  expect(dirname(path)).not.toBe(folder)
  expect(fingerprints(readFileSync(path, 'utf8'))).toEqual(fingerprints(pem))
}

test('a temporary folder that takes no file is an ERR_TLS that names the way out', () => {
  const missing = join(tmpdir(), 'is-not-there')
  vi.stubEnv('TMPDIR', missing)
  try {
    expect(() => pathOf([pem, pem])).toThrow(
      expect.objectContaining({
        ...{ code: 'ERR_TLS', message: `the root certificate cannot be written to ${missing}` },
        hint: expect.stringContaining('sslrootcert'),
      }),
    )
  } finally {
    vi.unstubAllEnvs()
  }
})
