import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CONNECT_TIME, COUNTS, METRIC_DIMENSION, METRIC_NAMESPACE } from '../../src/base/metric-names.ts'
import { codeIn, readPage, tableOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/observability.md')

test('docs/observability.md names the channels of DiagnosticMessages, in its order', () => {
  const text = readFileSync(join(REPOSITORY, 'src/base/diagnostics.ts'), 'utf8')
  const [, body = ''] = /interface DiagnosticMessages \{\n(.*?)^\}/ms.exec(text) ?? []
  const channels = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, name]) => `cockroach-lambda:${name}`)
  expect(tableOf(PAGE, 'Channels').flatMap(([channel]) => codeIn(channel))).toEqual(channels)
})

test('docs/observability.md names every metric, with its unit, namespace and dimension', () => {
  const rows = tableOf(PAGE, 'Metrics').map(([name, unit]) => [codeIn(name)[0], unit])
  const counts = Object.values(COUNTS).map((name) => [name, 'Count'])
  expect(rows.toSorted()).toEqual([...counts, [CONNECT_TIME, 'Milliseconds']].toSorted())
  expect(PAGE.text).toContain(`Namespace \`${METRIC_NAMESPACE}\`, dimension \`${METRIC_DIMENSION}\``)
})

test('docs/observability.md names every attribute of a span', () => {
  const sources = ['base/tracing.ts', 'pool/traces.ts', 'secret/cache.ts', 'transaction/transaction.ts']
  const text = sources.map((file) => readFileSync(join(REPOSITORY, 'src', file), 'utf8')).join('\n')
  const set = [...text.matchAll(/'((?:db|server|error|rpc|aws|cockroach_lambda)\.[\w.]+)'/g)].map(
    ([, name = '']) => name,
  )
  expect(set).toContain('db.query.text')
  for (const name of set) expect(PAGE.text).toContain(`\`${name}\``)
})
