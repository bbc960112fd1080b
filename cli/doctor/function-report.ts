/** Reads a function's answer as a health report, and lays it beside the one from here. */
import { ConnectionError } from '../../src/base/connection-error.ts'
import { foreignText } from '../../src/base/foreign-text.ts'
import type { HealthReport } from '../../src/health-check.ts'
import { labelled } from '../text.ts'

function isReport(value: unknown): value is HealthReport {
  return (
    typeof value === 'object' &&
    value !== null &&
    'ok' in value &&
    typeof value.ok === 'boolean' &&
    'timings' in value &&
    typeof value.timings === 'object'
  )
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The body of an answer for HTTP. */
function bodyOf(answer: unknown): unknown {
  const isHttp = typeof answer === 'object' && answer !== null && 'body' in answer && typeof answer.body === 'string'
  return isHttp ? parsed(String(answer.body)) : answer
}

const HINT = 'Only a function whose handler returns healthCheck() can be asked, such as that of the sample stack.'

/** @throws ConnectionError `ERR_CONFIG` for any other answer, which is not shown */
export function readHealthReport(text: string, name: string): HealthReport {
  const report = bodyOf(parsed(text))
  if (isReport(report)) return report
  throw new ConnectionError('ERR_CONFIG', `the answer of ${name} is not a health report`, { hint: HINT })
}

/** The last certificate of a chain. */
function rootOf({ tls }: HealthReport): string | undefined {
  const last = tls?.chain.at(-1)
  return last === undefined ? undefined : `${last.subject}, issued by ${last.issuer}, ${last.daysLeft} days left`
}

/** What is compared, by what it is called. */
const ROWS: readonly (readonly [label: string, of: (report: HealthReport) => unknown])[] = [
  ['ok', ({ ok }) => ok],
  ['error', ({ error }) => error && `${error.code}: ${error.message}`],
  ['server', ({ server }) => server && `${server.name} ${server.version}`],
  ['host', ({ connection }) => connection && `${connection.host}:${connection.port}`],
  ['database', ({ connection }) => connection?.database],
  ['user', ({ connection }) => connection?.user],
  ['cluster', ({ connection }) => connection?.cluster],
  ['TLS', ({ tls }) => tls && `${tls.protocol}, ${tls.cipher}`],
  ['certificate', ({ tls }) => tls?.chain[0]?.fingerprint256],
  ['chain ends in', rootOf],
  ['root certificate', ({ rootCertificate: root }) => root && (root.path ?? root.origin)],
  ['secret version', ({ secret }) => secret?.versionId],
  ['connect, ms', ({ timings }) => timings.connectMs],
  ['query, ms', ({ timings }) => timings.queryMs],
]

/** A value of the function's report is text from outside. */
function shown(value: unknown): string {
  return value === undefined || value === null ? '-' : foreignText(String(value))
}

const WIDTH = 20

/** One line for what is the same on both sides, two for what differs. */
export function sideBySide(here: HealthReport | undefined, there: HealthReport): string[] {
  return ROWS.flatMap(([label, of]) => {
    const [ours, theirs] = [here === undefined ? undefined : shown(of(here)), shown(of(there))]
    if (ours === theirs) return ours === '-' ? [] : labelled(label, WIDTH, `${ours}, both`)
    if (ours === undefined) return theirs === '-' ? [] : labelled(label, WIDTH, theirs)
    return [...labelled(label, WIDTH, `here: ${ours}`), ...labelled('', WIDTH, `function: ${theirs}`)]
  })
}
