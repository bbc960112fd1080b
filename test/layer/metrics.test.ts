/** The CloudWatch metrics of a function on the built layer, in a Lambda runtime that freezes it after each answer. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { COUNTS } from '../../src/base/metric-names.ts'
import { Scratch } from '../support/lambda.ts'
import { bundleFunction, RUNTIMES, startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'
import { endFrozenSession } from '../support/sessions.ts'

/** A line in the embedded metric format. */
interface MetricLine {
  readonly _aws: {
    readonly Timestamp: number
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string
      readonly Dimensions: readonly (readonly string[])[]
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[]
    }[]
  }
  readonly [name: string]: unknown
}

let product: Product
let scratch: Scratch
let code: string

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  code = await bundleFunction('observability/metrics.mjs', join(scratch.path, 'function'))
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

const EMF = { COCKROACH_METRICS: 'emf' }

function linesOf({ output }: ExecutionEnvironment): readonly MetricLine[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{"_aws"'))
    .map((line) => JSON.parse(line))
}

/** The metrics of a line by name, without what describes them. */
function valuesOf({ _aws, FunctionName, ...values }: MetricLine): Readonly<Record<string, unknown>> {
  return values
}

const MS = [expect.any(Number)]

describe('with COCKROACH_METRICS=emf', () => {
  test.each(RUNTIMES)(
    '%s: each invocation writes at most one line, before it is frozen',
    async (runtime, nodeBinary) => {
      const changes = { environment: EMF, runtime }
      const environment = await startOnLayer(product, code, changes, { nodeBinary, freezeBetween: true })
      const during = async (use: string, timeoutMs = 20_000): Promise<readonly unknown[]> => {
        const before = linesOf(environment).length
        await environment.invoke({ use }, { timeoutMs })
        return linesOf(environment).slice(before).map(valuesOf)
      }
      const { connect, reuse, discard, retry, secret, loginRefused, deadline } = COUNTS
      const connected = { ConnectTime: MS, [connect]: 1 }
      // What init did is in the line of the first invocation.
      expect(await during('query')).toEqual([{ ...connected, [secret]: 1 }])
      expect(await during('query')).toEqual([{ [reuse]: 1 }])
      expect(await during('idle')).toEqual([])
      expect(await during('retried')).toEqual([{ [reuse]: 2, [retry]: 1 }])
      await endFrozenSession(product)
      expect(await during('query')).toEqual([{ ...connected, [discard]: 1 }])
      // The server, the secret again, and its pending version are asked: the password is an option's.
      expect(await during('refused')).toEqual([expect.objectContaining({ [loginRefused]: 1 })])
      expect(await during('slow', 2000)).toEqual([{ [reuse]: 1, [deadline]: 1, [discard]: 1 }])
      expect(environment.coldStarts).toBe(1)
    },
  )

  test('a line is as CloudWatch reads it', async () => {
    const environment = await startOnLayer(product, code, { environment: EMF })
    await environment.invoke({ use: 'query' })
    const [line] = linesOf(environment)
    const { Timestamp, CloudWatchMetrics } = line?._aws ?? expect.fail('no line')
    expect(Math.abs(Date.now() - Timestamp)).toBeLessThan(60_000)
    expect(CloudWatchMetrics).toEqual([
      {
        Namespace: 'CockroachLambda',
        Dimensions: [['FunctionName']],
        Metrics: expect.arrayContaining([
          { Name: 'ConnectTime', Unit: 'Milliseconds' },
          { Name: COUNTS.connect, Unit: 'Count' },
        ]),
      },
    ])
    expect(line?.FunctionName).toBe('local-function')
    const named = CloudWatchMetrics.flatMap(({ Metrics }) => Metrics.map(({ Name }) => Name))
    expect(named.toSorted()).toEqual(Object.keys(valuesOf(line ?? expect.fail())).toSorted())
  })

  test('a handler without withDatabase() writes within a second of its first statement, or after the thaw', async () => {
    const environment = await startOnLayer(
      product,
      code,
      { handler: 'bare', environment: EMF },
      { freezeBetween: true },
    )
    await environment.invoke({})
    environment.thaw()
    await expect
      .poll(() => linesOf(environment).map(valuesOf), { timeout: 10_000 })
      .toEqual([{ ConnectTime: MS, [COUNTS.connect]: 1, [COUNTS.reuse]: 1, [COUNTS.secret]: 1 }])
  })
})

test('without COCKROACH_METRICS, nothing is written', async () => {
  const environment = await startOnLayer(product, code)
  await environment.invoke({ use: 'query' })
  expect(environment.output).toContain('answered query')
  expect(linesOf(environment)).toEqual([])
})
