/** Streaming handlers, and wrapped ones, under AWS's own runtime interface client, with its native client. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { type SampleStack, startSampleStack } from '../../local/sample/stack.ts'
import { Scratch } from '../support/lambda.ts'
import { bodyOf, httpEvent, sqsEvent } from '../support/lambda-events.ts'
import { bundleFunction } from '../support/layer-function.ts'
import { startUnderClient } from './support/sample-functions.ts'

const RUNTIMES: readonly LambdaRuntime[] = ['nodejs22.x', 'nodejs24.x', 'nodejs26.x']

let stack: SampleStack
let scratch: Scratch
let code: string

beforeAll(async () => {
  stack = await startSampleStack()
  scratch = await Scratch.make()
  code = await bundleFunction('handlers/index.mjs', join(scratch.path, 'function'))
})

afterAll(async () => {
  await scratch?.[Symbol.asyncDispose]()
  await stack?.[Symbol.asyncDispose]()
})

describe.each(RUNTIMES)('on %s', (runtime) => {
  test.each(['streamOutside', 'streamInside'])('response streaming, %s', async (handler) => {
    await using environment = await startUnderClient(stack, { code, runtime, handler: `index.${handler}` })
    const streamed = [await environment.invoke({}), await environment.invoke({})]
    const late = await environment.invoke({ use: 'slow' }, { timeoutMs: 2500 })
    expect([...streamed, late].map(({ payload }) => bodyOf(payload))).toEqual([
      'streamed!',
      'streamed!',
      'ERR_DEADLINE true!',
    ])
  })

  test.each([
    ['middyOutside', {}, ['after', 'middy']],
    ['middyInside', {}, ['after', 'middy']],
    ['hono', httpEvent('/word', 'word=answered'), { statusCode: 200, body: 'answered' }],
    ['honoStream', httpEvent('/stream'), expect.stringContaining('streamed by Hono')],
    ['serverlessHttp', httpEvent('/'), { statusCode: 200, body: 'serverless' }],
    ['batch', sqsEvent(['1', '0']), { batchItemFailures: [{ itemIdentifier: 'message-1' }] }],
  ])('%s', async (handler, event, payload) => {
    await using environment = await startUnderClient(stack, { code, runtime, handler: `index.${handler}` })
    expect(await environment.invoke(event)).toMatchObject({ ok: true, payload })
    expect(await environment.invoke(event)).toMatchObject({ ok: true, payload })
    expect(environment.coldStarts).toBe(1)
  })
})
