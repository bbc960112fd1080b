/** Writes the report on the reader's function for people. */
import Table from 'cli-table3'
import type { OwnInvocation } from './own-function.ts'
import type { OwnReport } from './run.ts'
import type { Terminal } from './terminal.ts'

/** At most 80 columns, but for what the function itself wrote and returned. */
export function ownReportText({ ok, layer, invocations }: OwnReport): string {
  const table = new Table({
    head: ['invocation', 'result', 'ms', 'new connections'],
    style: { head: [], border: [] },
    colAligns: ['left', 'left', 'right', 'right'],
  })
  table.push(...invocations.map((each) => [each.kind, each.ok ? 'ok' : 'failed', each.ms.toFixed(1), each.logins]))
  return [
    'Layer',
    `  ${layer.path}, ${layer.bytes} bytes\n  SHA-256 ${layer.sha256}`,
    ...invocations.flatMap(logged),
    ...invocations.flatMap(answered),
    'Invocations of your function',
    table.toString(),
    ok ? 'All well: your function answered cold, warm and thawed.' : 'Failed: your function did not answer.',
  ].join('\n')
}

/** What to type in another terminal. */
export function servingText(url: string, { databaseUrl, psql }: Terminal): string {
  return [
    'Serving until interrupted (Ctrl-C). In another terminal, invoke it; have it',
    'frozen before the next invocation; load the code that is in the folder now:',
    `  curl -d '{"your":"event"}' ${url}/invoke`,
    `  curl ${url}/freeze`,
    `  curl ${url}/reload`,
    'Its database, verified in full; both are gone at the end of this run:',
    `  export DATABASE_URL='${databaseUrl}'`,
    `  ${psql}`,
  ].join('\n')
}

function logged({ kind, log }: OwnInvocation): string[] {
  return log === '' ? [] : [`Logged, ${kind}`, indented(log.trimEnd())]
}

/** An answer that is the same as the one before is not printed again. */
function answered({ kind, error, result }: OwnInvocation, index: number, all: readonly OwnInvocation[]): string[] {
  if (error !== undefined) return [`Error, ${kind}`, indented(`${error.errorType}: ${error.errorMessage}`)]
  const answer = JSON.stringify(result, null, 2)
  const before = all[index - 1]
  const isSame = before !== undefined && JSON.stringify(before.result, null, 2) === answer
  return isSame ? [] : [`Answered, ${kind}`, indented(answer)]
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
