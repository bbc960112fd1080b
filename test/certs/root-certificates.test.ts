import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { ROOT_CERTIFICATE_FILE, rootCertificateText } from '../../certs/refresh.ts'

const YEAR_MS = 365 * 24 * 60 * 60 * 1000
const text = readFileSync(ROOT_CERTIFICATE_FILE, 'utf8')
const certificates = text.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem))

test('certs/root.crt is what certs/refresh.ts writes', () => {
  expect(text).toBe(rootCertificateText())
})

describe.each(certificates.map((certificate) => [/CN=(.*)/.exec(certificate.subject)?.[1], certificate] as const))(
  '%s',
  (name, certificate) => {
    const readme = readFileSync(join(import.meta.dirname, '../../certs/README.md'), 'utf8')

    test('is a root, signed by itself', () => {
      expect([certificate.ca, certificate.subject, certificate.verify(certificate.publicKey)]).toEqual([
        true,
        certificate.issuer,
        true,
      ])
    })

    test('has more than a year left', () => {
      expect(Date.parse(certificate.validTo) - Date.now()).toBeGreaterThan(YEAR_MS)
    })

    test('is in certs/README.md with its fingerprint and end date', () => {
      const ends = new Date(certificate.validTo).toISOString().slice(0, 10)
      expect(readme).toMatch(new RegExp(`${name} .*${certificate.fingerprint256}.*${ends}`))
    })
  },
)

test('certs/README.md names the SHA-256 of certs/root.crt', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../certs/README.md'), 'utf8')
  expect(readme).toContain(createHash('sha256').update(text).digest('hex'))
})

test('rootCertificateText fails when a root is missing from the list', () => {
  const withoutX2 = rootCertificates.filter((pem) => !new X509Certificate(pem).subject.includes('ISRG Root X2'))
  expect(() => rootCertificateText(withoutX2)).toThrow('ISRG Root X2')
})
