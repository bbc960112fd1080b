import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { isAlive, processState, Scratch, startFunction, writeLayerA } from '../../support/lambda.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await Scratch.make()
})
afterAll(() => scratch[Symbol.asyncDispose]())

describe('an invocation', () => {
  test('runs in the process of the one before, with its own event and context', async () => {
    const environment = await startFunction('echo.handler', {}, { functionName: 'health-check' })
    const first = await environment.invoke({ text: 'grüße', list: [1, null] })
    const second = await environment.invoke(undefined, { timeoutMs: 5_000 })
    expect(first).toMatchObject({
      ok: true,
      timedOut: false,
      ms: expect.any(Number),
      payload: {
        event: { text: 'grüße', list: [1, null] },
        count: 1,
        pid: environment.pid,
        context: {
          functionName: 'health-check',
          functionVersion: '$LATEST',
          memoryLimitInMB: '256',
          logGroupName: '/aws/lambda/health-check',
          invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:health-check',
          awsRequestId: expect.stringMatching(/^[\da-f-]{36}$/),
        },
      },
    })
    expect(first.payload).not.toHaveProperty('context.callbackWaitsForEmptyEventLoop')
    expect(first).toHaveProperty(
      'payload.remainingMs',
      expect.toSatisfy((ms) => ms > 15_000 && ms <= 20_000),
    )
    expect(second).toMatchObject({ payload: { event: null, count: 2, pid: environment.pid } })
    expect(second).toHaveProperty(
      'payload.remainingMs',
      expect.toSatisfy((ms) => ms > 1_000 && ms <= 5_000),
    )
    expect(environment).toMatchObject({ coldStarts: 1, output: 'invocation 1\ninvocation 2\n' })
    expect(environment.initMs).toBeGreaterThan(10)
  })

  test('is refused while another one runs', async () => {
    const environment = await startFunction('echo.handler')
    const first = environment.invoke({})
    await expect(environment.invoke({})).rejects.toThrow('handles another invocation')
    expect(await first).toMatchObject({ ok: true })
  })

  test('that exceeds its time-out ends the process, and the next one is a cold start', async () => {
    const environment = await startFunction('faults.handler')
    const { pid } = environment
    const result = await environment.invoke({ fault: 'hang' }, { timeoutMs: 1_250 })
    expect(result).toMatchObject({
      ok: false,
      timedOut: true,
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/^RequestId: [\da-f-]{36} Error: Task timed out after 1\.25 seconds$/),
      },
    })
    expect(result.ms).toBeGreaterThanOrEqual(1_240)
    expect(isAlive(pid)).toBe(false)
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
    expect(environment.coldStarts).toBe(2)
    expect(environment.pid).not.toBe(pid)
  })

  test('fails when the process has ended since the last one, and the one after is a cold start', async () => {
    const environment = await startFunction('faults.handler')
    expect(await environment.invoke({ fault: 'dieLater', afterMs: 100 })).toMatchObject({ ok: true })
    await expect.poll(() => environment.pid, { timeout: 20_000 }).toBeUndefined()
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/exit status 129$/) },
    })
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
    expect(environment.output).toContain('died between invocations')
  })
})

describe('an init phase', () => {
  test('that exceeds its limit is run again inside the first invocation', async () => {
    const variables = { INIT_MS: '60000', FLAG_FILE: join(scratch.path, randomUUID()) }
    const environment = await startFunction('slow-init.handler', { environment: variables }, { initTimeoutMs: 1_500 })
    expect(environment).toMatchObject({ coldStarts: 1, pid: undefined })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: 'at last' })
    expect(environment.coldStarts).toBe(2)
  })

  test('that exceeds the time-out of the invocation too makes the invocation time out', async () => {
    const variables = { INIT_MS: '60000' }
    const environment = await startFunction('slow-init.handler', { environment: variables }, { initTimeoutMs: 100 })
    expect(await environment.invoke({}, { timeoutMs: 300 })).toMatchObject({
      timedOut: true,
      error: { errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('after 0.30 seconds') },
    })
  })
})

describe('with SnapStart', () => {
  test.each([
    ['that asks for restore/next', 'restores.handler', { status: 200, type: 'snap-start' }],
    ['that does not', 'echo.nested.inside.handler', 'nested'],
  ])('a function %s is frozen when init ends, until the first invocation', async (_, handler, payload) => {
    const environment = await startFunction(handler, {}, { initializationType: 'snap-start' })
    expect(await processState(environment.pid)).toBe('T')
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload })
    expect(environment.coldStarts).toBe(1)
  })
})

describe('on Managed Instances', () => {
  const managed = (maxConcurrency: number, workerCount = 1) =>
    startFunction('concurrent.handler', {}, { maxConcurrency, workerCount })
  const invokeAll = (environment: ExecutionEnvironment, count: number, together: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => environment.invoke({ number, together })))

  test('invocations run side by side, each with its own answer', async () => {
    const environment = await managed(4)
    const results = await invokeAll(environment, 4, 4)
    expect(results.map(({ payload }) => payload)).toEqual(
      [0, 1, 2, 3].map((number) => ({
        number,
        threadId: 1,
        AWS_LAMBDA_MAX_CONCURRENCY: '4',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'lambda-managed-instances',
      })),
    )
    expect(environment.coldStarts).toBe(1)
  })

  test('worker threads share five invocations, and have modules of their own', async () => {
    const environment = await managed(5, 2)
    const results = await invokeAll(environment, 5, 2)
    const threads = results.map(({ payload }) => Object(payload).threadId)
    expect([1, 2].map((id) => threads.filter((threadId) => threadId === id).length).sort()).toEqual([2, 3])
  })

  test('one invocation more than maxConcurrency is refused', async () => {
    const environment = await managed(2)
    const first = environment.invoke({ together: 2 })
    const second = environment.invoke({ together: 2 })
    await expect(environment.invoke({})).rejects.toThrow('handles 2 invocations')
    expect([await first, await second]).toMatchObject([{ ok: true }, { ok: true }])
  })

  test('an invocation that times out ends neither the others nor the process', async () => {
    const environment = await managed(3)
    const slow = environment.invoke({ together: 3 }, { timeoutMs: 300 })
    expect(await slow).toMatchObject({ timedOut: true })
    expect(await invokeAll(environment, 2, 3)).toMatchObject([{ ok: true }, { ok: true }])
    expect(environment.coldStarts).toBe(1)
  })

  test('a worker thread that ends fails all running invocations, and the next one is a cold start', async () => {
    const environment = await managed(4, 2)
    const running = [1, 2, 3].map(() => environment.invoke({ together: 9 }))
    expect(await environment.invoke({ fault: 'exit' })).toMatchObject({ error: { errorType: 'Runtime.ExitError' } })
    for (const result of await Promise.all(running)) {
      expect(result).toMatchObject({ error: { errorMessage: expect.stringMatching(/exit status 7$/) } })
    }
    expect(await invokeAll(environment, 2, 1)).toMatchObject([{ ok: true }, { ok: true }])
    expect(environment.coldStarts).toBe(2)
  })

  test('an environment refuses freezeBetween and freeze()', async () => {
    const options = { maxConcurrency: 2, freezeBetween: true }
    await expect(startFunction('echo.handler', {}, options)).rejects.toThrow('never frozen')
    await expect((await managed(2)).freeze()).rejects.toThrow('never frozen')
  })
})

test('twelve environments run at once, in a process each and with one folder of layers', async () => {
  const count = 12
  const layers = [await writeLayerA(scratch)]
  const environments = await Promise.all(
    Array.from({ length: count }, () => startFunction('module.handler', { layers }, { freezeBetween: true })),
  )
  const results = await Promise.all(environments.map((environment) => environment.invoke({})))
  expect(results.map(({ payload }) => payload)).toEqual(Array(count).fill('hello from layer a, imported'))
  expect(new Set(environments.map(({ opt }) => opt)).size).toBe(1)
  expect(new Set(environments.map(({ pid }) => pid)).size).toBe(count)
})
