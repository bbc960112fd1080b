/** Writes `root.crt`: the roots that CockroachDB Cloud's Basic and Standard plans chain to, taken from Node's own list. Run: `node certs/refresh.ts`. */
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'

/** Let's Encrypt's roots by SHA-256. Roots, never intermediates: those change without notice. */
const FINGERPRINTS = {
  'ISRG Root X1': '96:BC:EC:06:26:49:76:F3:74:60:77:9A:CF:28:C5:A7:CF:E8:A3:C0:AA:E1:1A:8F:FC:EE:05:C0:BD:DF:08:C6',
  'ISRG Root X2': '69:72:9B:8E:15:A8:6E:FC:17:7A:57:AF:B7:17:1D:FC:64:AD:D2:8C:2F:CA:8C:F1:50:7E:34:45:3C:CB:14:70',
}

/** The file that this script writes. */
export const ROOT_CERTIFICATE_FILE = join(import.meta.dirname, 'root.crt')

/**
 * The text of `root.crt`: PEM certificates in the order of the table above, LF line ends.
 * @param available PEM texts to choose from. @default Node's `tls.rootCertificates`
 * @throws Error when a fingerprint is missing, so that half a file is never written.
 */
export function rootCertificateText(available: readonly string[] = rootCertificates): string {
  const byFingerprint = new Map(available.map((pem) => [new X509Certificate(pem).fingerprint256, pem]))
  return Object.entries(FINGERPRINTS)
    .map(([name, fingerprint]) => {
      const pem = byFingerprint.get(fingerprint)
      if (pem === undefined) throw new Error(`${name} (SHA-256 ${fingerprint}) is not among Node's root certificates`)
      return `${pem.replaceAll('\r\n', '\n').trimEnd()}\n`
    })
    .join('')
}

if (import.meta.main) writeFileSync(ROOT_CERTIFICATE_FILE, rootCertificateText())
