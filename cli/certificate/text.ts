/** Certificates as lines for people. */
import type { CertificateReport } from '../../src/health-check.ts'
import { wrapped } from '../text.ts'

function certificateText({ subject, issuer, fingerprint256, daysLeft }: CertificateReport): string[] {
  const validity = daysLeft < 0 ? `expired ${-daysLeft} days ago` : `${daysLeft} days left`
  return [
    ...wrapped(`${subject}, ${validity}`, 4),
    ...wrapped(`issued by ${issuer}`, 6),
    '      SHA-256',
    // In two lines, of sixteen bytes each.
    ...(fingerprint256.match(/.{1,48}/g) ?? []).map((part) => `      ${part}`),
  ]
}

/** All of a chain or a file; `none` stands for an empty one. */
export function certificatesText(certificates: readonly CertificateReport[], none: string): string[] {
  return certificates.length === 0 ? [`    ${none}`] : certificates.flatMap(certificateText)
}
