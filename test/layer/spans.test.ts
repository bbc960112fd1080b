/** The spans that a function with the OpenTelemetry SDK has of the built layer, in a Lambda runtime. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Scratch } from '../support/lambda.ts'
import { bundleFunction, RUNTIMES, startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'

interface ReportedSpan {
  readonly name: string
  readonly kind: number
  readonly scope: string
  readonly parent?: string
  readonly status: { readonly code: number; readonly message?: string }
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: readonly unknown[]
}

const INTERNAL = 0
const CLIENT = 2
const UNSET = { code: 0 }
const FAILED = { code: 2 }

let product: Product
let scratch: Scratch
let code: string

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  code = await bundleFunction('observability/spans.mjs', join(scratch.path, 'function'))
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

test.each(RUNTIMES)(
  '%s: each statement, transaction, connect and read of the secret is a span',
  async (runtime, nodeBinary) => {
    const environment = await startOnLayer(product, code, { runtime }, { nodeBinary })
    const spansOf = async (use: string): Promise<readonly ReportedSpan[]> => {
      const { payload, error } = await environment.invoke({ use })
      expect(error).toBeUndefined()
      // Nowhere a value, nor a server's text, which quotes one.
      expect(JSON.stringify(payload)).not.toContain('a value')
      expect(JSON.stringify(payload)).not.toContain(product.cloud.password)
      return payload as readonly ReportedSpan[]
    }
    const dbname = expect.stringContaining('defaultdb')
    const server = {
      'db.system.name': 'postgresql',
      'db.namespace': dbname,
      'server.address': product.cloud.host,
      'server.port': product.cloud.standIn.port,
    }
    const select = expect.stringMatching(/^select .*defaultdb$/)
    const scope = 'cockroach-lambda'

    const cold = await spansOf('query')
    expect(cold.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      { name: 'connect', kind: CLIENT, scope, status: UNSET, attributes: server, events: [] },
      { name: 'handler', kind: INTERNAL, scope: 'function', status: UNSET, attributes: {}, events: [] },
      {
        name: 'SecretsManager/GetSecretValue',
        ...{ kind: CLIENT, scope, status: UNSET, events: [] },
        attributes: { 'rpc.system.name': 'aws-api', 'rpc.method': 'SecretsManager/GetSecretValue' },
      },
      {
        name: select,
        ...{ kind: CLIENT, scope, parent: 'handler', status: UNSET, events: [] },
        attributes: { ...server, 'db.operation.name': 'select', 'db.query.text': 'select $1::text as word' },
      },
    ])

    expect(await spansOf('simple')).toMatchObject([
      { name: select, attributes: { ...server, 'db.operation.name': 'select' } },
      { name: 'handler' },
    ])
    expect(await spansOf('pool')).toMatchObject([{ name: select, parent: 'handler' }, { name: 'handler' }])
    const refused = { 'error.type': '22P02', 'db.response.status_code': '22P02' }
    expect(await spansOf('refused')).toMatchObject([
      { name: select, status: FAILED, attributes: refused, events: [] },
      { name: 'handler' },
    ])
    const parent = 'transaction'
    const aborted = { 'error.type': '40001', 'db.response.status_code': '40001' }
    const word = (operation: string) => expect.stringMatching(new RegExp(`^${operation} .*defaultdb$`))
    expect(await spansOf('retried')).toMatchObject([
      { name: word('BEGIN'), parent },
      { name: dbname, parent, status: FAILED, attributes: aborted },
      { name: word('ROLLBACK'), parent },
      { name: word('BEGIN'), parent },
      { name: select, parent },
      { name: word('COMMIT'), parent },
      {
        name: 'transaction',
        ...{ kind: INTERNAL, parent: 'handler', status: UNSET },
        attributes: { 'cockroach_lambda.retry_count': 1 },
      },
      { name: 'handler' },
    ])
    expect(environment.coldStarts).toBe(1)
  },
)
