import { describe, expect, test } from 'vitest'
import {
  currentInvocation,
  deadlineError,
  endOfStep,
  type Invocation,
  runInvocation,
} from '../../../src/lambda/deadline.ts'

const NOW = 1_000_000

function invoke<Result>(remainingMs: number, marginMs: number, work: () => Promise<Result>): Promise<Result> {
  return runInvocation({ awsRequestId: 'request-1', remainingMs, marginMs, now: NOW }, work)
}

describe('an invocation', () => {
  test.each([
    [10_000, 500, { deadlineAt: NOW + 9500, marginMs: 500 }],
    [2000, 500, { deadlineAt: NOW + 1500, marginMs: 500 }],
    [1000, 500, { deadlineAt: NOW + 750, marginMs: 250 }],
    [0, 500, { deadlineAt: NOW, marginMs: 0 }],
    [-1000, 500, { deadlineAt: NOW, marginMs: 0 }],
    [2 ** 31 - 1, 500, { deadlineAt: NOW + 2 ** 31 - 501, marginMs: 500 }],
    [2 ** 31, 500, { deadlineAt: Number.POSITIVE_INFINITY, marginMs: 500 }],
    [Number.POSITIVE_INFINITY, 500, { deadlineAt: Number.POSITIVE_INFINITY, marginMs: 500 }],
    [Number.NaN, 500, { deadlineAt: Number.POSITIVE_INFINITY, marginMs: 500 }],
  ])('with %d ms left and a margin of %d ms', async (remainingMs, marginMs, expected) => {
    const invocation = await invoke(remainingMs, marginMs, async () => ({ ...currentInvocation() }))
    expect(invocation).toEqual({ ...expected, awsRequestId: 'request-1', hasEnded: false })
  })

  test('is known across await, and to nobody outside', async () => {
    expect(currentInvocation()).toBeUndefined()
    await invoke(1000, 0, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      expect(currentInvocation()?.awsRequestId).toBe('request-1')
    })
    expect(currentInvocation()).toBeUndefined()
  })

  test('two at once do not see each other', async () => {
    const requestId = (id: string) =>
      runInvocation({ awsRequestId: id, remainingMs: 1000, marginMs: 0, now: NOW }, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        return currentInvocation()?.awsRequestId
      })
    expect(await Promise.all([requestId('a'), requestId('b')])).toEqual(['a', 'b'])
  })

  test.each([
    ['answered', async () => 'answer', 'answer'],
    ['failed', () => Promise.reject(new Error('failed')), 'failed'],
  ])('has ended once the handler has %s', async (_, handler, expected) => {
    let invocation: Invocation | undefined
    const outcome = await invoke(1000, 0, () => {
      invocation = currentInvocation()
      return handler()
    }).catch((error: Error) => error.message)
    expect(outcome).toBe(expected)
    expect(invocation?.hasEnded).toBe(true)
  })
})

describe('a step ends', () => {
  test('at its own limit outside an invocation', () => {
    expect(endOfStep(5000, NOW)).toBe(NOW + 5000)
  })

  test.each([
    [60_000, NOW + 5000],
    [3000, NOW + 2500],
  ])('at its limit or the deadline, with %d ms left', async (remainingMs, expected) => {
    expect(await invoke(remainingMs, 500, async () => endOfStep(5000, NOW))).toBe(expected)
  })
})

test('deadlineError tells what did not end', () => {
  expect(deadlineError('the statement was cancelled', false)).toMatchObject({
    code: 'ERR_DEADLINE',
    message: "the statement was cancelled: the invocation's deadline is near",
    safeToRetry: false,
  })
})
