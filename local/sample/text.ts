/** Writes the sample's report for people. */
import Table from 'cli-table3'
import type { SampleInvocation, SampleReport } from './run.ts'

function yesOrNo(value: boolean | undefined): string {
  if (value === undefined) return '-'
  return value ? 'yes' : 'no'
}

function row({ kind, ok, ms, reused, backendPid, tls, error }: SampleInvocation): string[] {
  const secured = tls === undefined ? '-' : `${tls.protocol}, ${tls.authorized ? 'verified' : 'NOT VERIFIED'}`
  return [
    kind,
    ok ? 'ok' : `failed: ${error?.code ?? 'unknown'}`,
    ms.toFixed(1),
    yesOrNo(reused),
    String(backendPid ?? '-'),
    secured,
  ]
}

/** At most 80 columns, but for the connection string: a heading for each part, a table of the invocations, and one closing line. */
export function reportText({ ok, layer, connection, tls, invocations }: SampleReport): string {
  const table = new Table({
    head: ['invocation', 'result', 'ms', 'reused', 'backend', 'TLS'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'left', 'right', 'left'],
  })
  table.push(...invocations.map(row))
  const chain = (tls?.chain ?? []).map(
    ({ subject, issuer, daysLeft }) => `  ${subject},\n    issued by ${issuer}, ${daysLeft} days left`,
  )
  const failures = invocations.flatMap(({ kind, error }) =>
    error === undefined
      ? []
      : [`${kind}: ${error.code}: ${error.message}${error.hint === undefined ? '' : `\n  ${error.hint}`}`],
  )
  return [
    'Layer',
    `  ${layer.path}, ${layer.bytes} bytes\n  SHA-256 ${layer.sha256}`,
    'TLS chain (of the stand-in for CockroachDB Cloud, made for this run)',
    ...(chain.length === 0 ? ['  none'] : chain),
    'Connection string',
    `  ${connection.redacted || 'none'}`,
    'Invocations of the health-check function',
    table.toString(),
    ...failures,
    ok
      ? 'All well: one verified connection served cold, warm and thawed invocations.'
      : 'Failed: not every invocation was answered over one verified connection.',
  ].join('\n')
}

/** What made `npm start` fail: messages, cause by cause; with a stack only for bugs. */
export function failureText(error: unknown): string {
  const lines: string[] = []
  for (let cause = error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    lines.push(cause instanceof Error ? errorText(cause) : String(cause))
  }
  return `npm start failed: ${lines.join('\n  because: ')}`
}

/** A plain Error was thrown on purpose; a TypeError and its like are bugs. */
function errorText(error: Error): string {
  return error.constructor === Error ? error.message : (error.stack ?? error.message)
}
