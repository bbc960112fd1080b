/** The doctor's report as lines for people. */
import { certificatesText } from '../certificate/text.ts'
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

/** Both sides, one above the other. */
function trustText({ presented, rootCertificate, rootCertificateOrigin }: TrustReport): string {
  return [
    '  the server presents:',
    ...certificatesText(presented, 'nothing'),
    ...wrapped(`the root certificate (${rootCertificateOrigin}):`, 2),
    ...certificatesText(rootCertificate, "Node's own roots"),
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
