/** Reads the deployer's own root certificate, and refuses what is not a certificate. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The PEM text to put into the layer as `certs/root.crt`.
 * @param rootCertificate PEM text (it contains `-----BEGIN`), or the path of a file that contains it.
 * @throws Error when the file cannot be read, contains no certificate, a broken one, or a private key.
 */
export function rootCertificateText(rootCertificate: string): string {
  const isText = rootCertificate.includes('-----BEGIN')
  const name = isText ? 'the text given as rootCertificate' : `rootCertificate ${rootCertificate}`
  const text = isText ? rootCertificate : readPem(rootCertificate)
  if (text.includes('PRIVATE KEY-----')) throw new Error(`${name} holds a private key; expected certificates only`)
  const certificates = text.match(PEM_CERTIFICATE) ?? []
  if (certificates.length === 0) {
    throw new Error(
      `${name} holds no PEM certificate (${text.length} characters); expected -----BEGIN CERTIFICATE-----`,
    )
  }
  for (const [index, pem] of certificates.entries()) {
    try {
      new X509Certificate(pem)
    } catch (cause) {
      throw new Error(`${name}: certificate ${index + 1} of ${certificates.length} cannot be read`, { cause })
    }
  }
  return `${certificates.join('\n').replaceAll('\r\n', '\n')}\n`
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`rootCertificate ${path} cannot be read; expected a path or PEM text`, { cause })
  }
}
