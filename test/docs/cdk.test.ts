import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { codeIn, readPage, tableOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/cdk.md')

interface Member {
  readonly name: string
  readonly isOptional: boolean
  /** The docstring's summary and what stands behind `@default`. */
  readonly summary: string
  readonly default: string | undefined
}

/** The members of an interface, in their order. */
function members(path: string, name: string): readonly Member[] {
  const text = readFileSync(join(REPOSITORY, path), 'utf8')
  const [, body = ''] = new RegExp(`interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(text) ?? []
  return [...body.matchAll(/\/\*\*(.*?)\*\/\s+readonly (\w+)(\??):|^ {2}readonly (\w+)(\??):/gms)].map(
    ([, comment = '', named, optional, bare = '', bareOptional]) => {
      const [summary = '', ...rest] = comment.replace(/^\s*\* ?/gm, ' ').split('@default')
      return {
        name: named ?? bare,
        isOptional: (optional ?? bareOptional) === '?',
        summary: summary.trim(),
        default: rest[0]?.trim(),
      }
    },
  )
}

const INTERFACES: readonly [path: string, name: string][] = [
  ['cdk/cockroach-database.ts', 'CockroachDatabaseProps'],
  ['cdk/cockroach-layer.ts', 'CockroachLayerProps'],
  ['cdk/health-check-stack.ts', 'HealthCheckStackProps'],
  ['cdk/cockroach-secret-rotation.ts', 'CockroachSecretRotationOptions'],
  ['cdk/cockroach-secret-rotation.ts', 'CockroachSecretRotationProps'],
]

describe.each(INTERFACES)('%s, %s', (path, name) => {
  test.each(members(path, name).map((member) => [member.name, member] as const))(
    '%s has a summary, and a default if it is optional',
    (_name, { summary, isOptional, default: byDefault }) => {
      expect(summary).toMatch(/^[A-Z].{8,}/s)
      expect(byDefault === undefined).toBe(!isOptional)
    },
  )
})

describe.each([
  ['Props of CockroachDatabase', 'cdk/cockroach-database.ts', 'CockroachDatabaseProps'],
  ['Props of CockroachLayer', 'cdk/cockroach-layer.ts', 'CockroachLayerProps'],
  ['Options of rotate', 'cdk/cockroach-secret-rotation.ts', 'CockroachSecretRotationOptions'],
])('%s', (heading, path, name) => {
  const rows = tableOf(PAGE, heading)
  const props = members(path, name)

  test('lists every prop and no other, in the order of the code', () => {
    expect(props.length).toBeGreaterThan(1)
    expect(rows.map(([cell]) => codeIn(cell)[0])).toEqual(props.map((prop) => prop.name))
  })

  test('says of each what it is, and which ones are required', () => {
    for (const [, is = '', byDefault = ''] of rows)
      expect([is, byDefault].map((cell) => cell.length > 0)).toEqual([true, true])
    expect(rows.map(([, , byDefault]) => byDefault !== 'required')).toEqual(props.map((prop) => prop.isOptional))
  })
})

/** Each function that the page calls refused, and the words with which a test of test/cdk makes it. */
const REFUSED = {
  DockerImageFunction: 'new lambda.DockerImageFunction(',
  Alias: '.addAlias(',
  Version: 'lambda.Version.fromVersionArn(',
  'fn.currentVersion': 'fn.currentVersion',
  'Function.fromFunctionArn': 'lambda.Function.fromFunctionArn(',
  fromFunctionName: 'lambda.Function.fromFunctionName(',
  fromFunctionAttributes: 'lambda.Function.fromFunctionAttributes(',
  EdgeFunction: 'experimental.EdgeFunction(',
  CockroachDatabase: "'a second database for one function is refused",
}

test('the functions that the page calls refused are refused in the tests', () => {
  const rows = tableOf(PAGE, 'What `connect(fn)` does').filter(([, is]) => is?.startsWith('refused'))
  expect(rows.flatMap(([cell]) => codeIn(cell))).toEqual(Object.keys(REFUSED))
  const tests = ['connectable-function', 'constructs'].map((name) =>
    readFileSync(join(REPOSITORY, `test/cdk/${name}.test.ts`), 'utf8'),
  )
  for (const words of Object.values(REFUSED)) expect(tests.join('\n')).toContain(words)
})
