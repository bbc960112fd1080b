/** Handlers of every shape on the built layer, in Lambda's runtimes: each gets its database, and keeps its deadline. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Scratch } from '../support/lambda.ts'
import { bodyOf, httpEvent, sqsEvent } from '../support/lambda-events.ts'
import { bundleFunction, RUNTIMES, startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'

let product: Product
let scratch: Scratch
let code: string

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  code = await bundleFunction('handlers/index.mjs', join(scratch.path, 'function'))
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

describe.each(RUNTIMES)('on %s', (runtime, nodeBinary) => {
  /** Invokes a handler, cold and then warm, and perhaps once more with little time. */
  async function payloads(handler: string, events: readonly object[], slow?: object): Promise<readonly unknown[]> {
    const environment = await startOnLayer(product, code, { handler, runtime }, { nodeBinary })
    const answers: unknown[] = []
    for (const event of events) answers.push(await environment.invoke(event))
    if (slow !== undefined) answers.push(await environment.invoke(slow, { timeoutMs: 1500 }))
    expect(answers).toEqual(answers.map(() => expect.objectContaining({ ok: true })))
    expect(environment.coldStarts).toBe(1)
    return answers.map((answer) => Object(answer).payload)
  }

  test.each(['streamOutside', 'streamInside'])('response streaming, %s', async (handler) => {
    const streamed = await payloads(handler, [{}, {}], { use: 'slow' })
    expect(streamed.map(bodyOf)).toEqual(['streamed!', 'streamed!', 'ERR_DEADLINE true!'])
    expect(streamed[0]).toContain('{"statusCode":200}')
  })

  test.each(['streamOutside', 'streamInside'])(
    'response streaming, %s: an error before the first byte',
    async (handler) => {
      const environment = await startOnLayer(product, code, { handler, runtime }, { nodeBinary })
      expect(await environment.invoke({ use: 'refused' })).toMatchObject({
        ok: false,
        error: { errorMessage: expect.stringContaining('selectt') },
      })
      const { payload } = await environment.invoke({})
      expect([bodyOf(payload), environment.coldStarts]).toEqual(['streamed!', 1])
    },
  )

  test.each(['middyOutside', 'middyInside'])('middy, %s', async (handler) => {
    expect(await payloads(handler, [{}, {}], { use: 'slow' })).toEqual([
      ['after', 'middy'],
      ['after', 'middy'],
      ['after', 'ERR_DEADLINE', true],
    ])
  })

  test('Hono', async () => {
    const answers = await payloads(
      'hono',
      [httpEvent('/word', 'word=cold'), httpEvent('/word', 'word=warm')],
      httpEvent('/slow'),
    )
    expect(answers).toMatchObject([
      { statusCode: 200, body: 'cold' },
      { statusCode: 200, body: 'warm' },
      { statusCode: 200, body: 'ERR_DEADLINE' },
    ])
  })

  test('Hono, streaming', async () => {
    const streamed = await payloads('honoStream', [httpEvent('/stream'), httpEvent('/stream')], httpEvent('/slow'))
    expect(streamed.map(bodyOf)).toEqual(['streamed by Hono', 'streamed by Hono', 'ERR_DEADLINE'])
  })

  test('serverless-http', async () => {
    expect(await payloads('serverlessHttp', [httpEvent('/'), httpEvent('/')], httpEvent('/slow'))).toMatchObject([
      { statusCode: 200, body: 'serverless' },
      { statusCode: 200, body: 'serverless' },
      { statusCode: 200, body: 'ERR_DEADLINE' },
    ])
  })

  test('Powertools, batch', async () => {
    const batchItemFailures = [{ itemIdentifier: 'message-1' }]
    const events = [sqsEvent(['1', '0', '2']), sqsEvent(['1', '2'])]
    expect(await payloads('batch', events)).toEqual([{ batchItemFailures }, { batchItemFailures: [] }])
  })

  test('Powertools, idempotency', async () => {
    const event = { id: runtime }
    const first = { ...event, run: 1 }
    expect(await payloads('idempotent', [event, event])).toEqual([
      [first, 1],
      [first, 1],
    ])
  })
})
