import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { pemBlocks, restorePem } from '../../../src/connection-string/pem.ts'

let pem: string
let key: string

beforeAll(async () => {
  const authority = await createCertificateAuthority('Root')
  const issued = await authority.issue({ hosts: ['db.example.com'] })
  pem = issued.certificate
  key = issued.privateKey
})

describe('PEM text is restored', () => {
  test.each<[string, (text: string) => string]>([
    ['that is right', (text) => text],
    ['with blanks around it', (text) => `\n  ${text}\n\n`],
    ['with carriage returns', (text) => text.replaceAll('\n', '\r\n')],
    ['with its line ends as two characters', (text) => text.replaceAll('\n', '\\n')],
    ['with its line ends as four characters', (text) => text.replaceAll('\n', '\\r\\n')],
    ['with blanks for line ends', (text) => text.replaceAll('\n', ' ')],
    ['without line ends', (text) => text.replaceAll('\n', '')],
    [
      'with plus signs in its first and last line',
      (text) => text.replace(/-----.*-----/g, (line) => line.replaceAll(' ', '+')),
    ],
    ['in base64 as a whole', (text) => Buffer.from(text).toString('base64')],
    ['in base64 with line ends', (text) => Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\n')],
    ['indented', (text) => text.replace(/^/gm, '    ')],
    ['with other text around it', (text) => `Bag Attributes\n  friendlyName: app\n${text}subject=CN=app\n`],
  ])('%s', (_, spoil) => {
    const [certificate, privateKey] = pemBlocks(restorePem(spoil(`${pem}${key}\n`)) ?? '')
    expect(certificate?.label).toBe('CERTIFICATE')
    expect(privateKey?.label).toBe('PRIVATE KEY')
    expect(new X509Certificate(certificate?.pem ?? '').toString()).toBe(pem)
    expect(privateKey?.pem.trim()).toBe(key.trim())
  })
})

test.each(['', '/opt/certs/client.crt', 'system', 'MIIBfTCCASOgAwIBAgIQ', Buffer.from('no PEM').toString('base64')])(
  '%j is not PEM',
  (text) => {
    expect(restorePem(text)).toBeUndefined()
  },
)

test('a key with headers, as OpenSSL once encrypted them, keeps its lines', () => {
  const old =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nAAAA\n-----END RSA PRIVATE KEY-----'
  expect(pemBlocks(restorePem(old) ?? '')).toEqual([{ label: 'RSA PRIVATE KEY', pem: old }])
})

test('a block that does not end is none, and a long text of them is read quickly', () => {
  const startedAt = performance.now()
  expect(pemBlocks('-----BEGIN CERTIFICATE-----\nAAAA'.repeat(20_000))).toEqual([])
  expect(performance.now() - startedAt).toBeLessThan(2000)
})
