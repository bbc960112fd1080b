/** The doctor's report as lines for people. */
import { certificatesText } from '../certificate/text.ts'
import { labelled, type Paint, wrapped } from '../text.ts'
import type { DoctorReport, StepReport, TrustReport } from './report.ts'

const WIDTH = 21

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

/** Of what stands beside a label. */
const INDENT = 10
const COMMAND = /^(?:npx|aws|curl|unset|export|date)\b[^,]*$/

/** A command to copy is one line, however long; one behind words that do not fit beside it has a line of its own. */
function remedyText(remedy: string, label: string): string[] {
  const lines = wrapped(remedy, INDENT)
  const at = lines.length === 1 ? -1 : remedy.search(/(?<=: )(?:npx|aws)\b/)
  const parts = at === -1 ? [remedy] : [remedy.slice(0, at).trimEnd(), remedy.slice(at)]
  const [first = '', ...rest] = parts.flatMap((part) =>
    COMMAND.test(part) ? [`${' '.repeat(INDENT)}${part}`] : wrapped(part, INDENT),
  )
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
    ...labelled('  code', INDENT, code),
    ...labelled('  why', INDENT, why),
    ...mend.flatMap((each, index) =>
      remedyText(each, index === 0 ? `${paint('bold', '  mend')}    ` : ' '.repeat(INDENT)),
    ),
  ].join('\n')
}
