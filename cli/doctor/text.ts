/** The doctor's report as lines for people. */
import type { CertificateReport } from '../../src/health-check.ts'
import { labelled, type Paint, wrapped } from '../text.ts'
import type { DoctorReport, StepReport, TrustReport } from './report.ts'

const WIDTH = 20

const MARKS = { passed: ['✓', 'green'], failed: ['✗', 'red'], skipped: ['-', 'yellow'] } as const

export function stepText({ step, status, saw, ms, warnings }: StepReport, paint: Paint): string {
  const [mark, colour] = MARKS[status]
  const took = ms >= 1 && status !== 'skipped' ? ` (${ms} ms)` : ''
  const lines = [
    ...labelled(`${mark} ${step}`, WIDTH, `${saw}${took}`),
    ...warnings.flatMap((warning) => labelled('', WIDTH, `warning: ${warning}`)),
  ]
  return lines.join('\n').replace(mark, paint(colour, mark))
}

function certificateText({ subject, issuer, fingerprint256, daysLeft }: CertificateReport): string[] {
  const validity = daysLeft < 0 ? `expired ${-daysLeft} days ago` : `${daysLeft} days left`
  return [
    ...wrapped(`${subject}, ${validity}`, 4),
    ...wrapped(`issued by ${issuer}`, 6),
    '      SHA-256',
    ...(fingerprint256.match(/.{1,48}/g) ?? []).map((part) => `      ${part}`),
  ]
}

/** Both sides, one above the other. */
export function trustText({ presented, rootCertificate, rootCertificateOrigin }: TrustReport): string {
  return [
    '  the server presents:',
    ...(presented.length === 0 ? ['    nothing'] : presented.flatMap(certificateText)),
    ...wrapped(`the root certificate (${rootCertificateOrigin}):`, 2),
    ...(rootCertificate.length === 0 ? ["    Node's own roots"] : rootCertificate.flatMap(certificateText)),
  ].join('\n')
}

const COMMAND = /^(?:npx|aws|curl|unset|export|date)\b[^,]*$/

/** A command to copy is one line, however long. */
function remedyText(remedy: string, label: string): string[] {
  const [first = '', ...rest] = COMMAND.test(remedy) ? [remedy] : wrapped(remedy, 10)
  return [`${label}${first.trimStart()}`, ...rest]
}

/** What follows the steps. */
export function verdictText({ ok, failure, trust }: DoctorReport, paint: Paint): string {
  if (ok) return paint('green', 'All is well.')
  if (failure === undefined) return ''
  const { code, why, mend } = failure
  return [
    '',
    ...(trust === undefined ? [] : [trustText(trust), '']),
    ...labelled('  code', 10, code),
    ...labelled('  why', 10, why),
    ...mend.flatMap((each, index) => remedyText(each, index === 0 ? `${paint('bold', '  mend')}    ` : ' '.repeat(10))),
  ].join('\n')
}
