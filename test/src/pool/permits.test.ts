import { afterEach, beforeEach, describe, expect, type Mock, test, vi } from 'vitest'
import type { Invocation } from '../../../src/lambda/deadline.ts'
import { callerOf, type Holder, Permits } from '../../../src/pool/permits.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

function invocation(hasEnded: boolean): Invocation {
  return { awsRequestId: undefined, deadlineAt: 0, marginMs: 0, hasEnded }
}

/** Stands where an exported function stands: its caller is who is named. */
function holder(changes: Partial<Holder> = {}): Holder {
  return { invocation: undefined, place: callerOf(holder), ...changes }
}

/** Somebody who has the connection by now. */
function lent(changes: Partial<Holder> = {}): Holder & { readonly revoke: Mock<() => void> } {
  return { invocation: undefined, place: callerOf(lent), ...changes, revoke: vi.fn<() => void>() }
}

/** `file:line:column` of the caller, as a stack has it. */
const IN_THIS_FILE = /permits\.test\.ts:\d+:\d+\)?$/

async function state(promise: Promise<void>): Promise<string> {
  let outcome = 'waiting'
  promise.then(
    () => (outcome = 'admitted'),
    () => (outcome = 'refused'),
  )
  await vi.advanceTimersByTimeAsync(0)
  return outcome
}

test('up to max are admitted, the next one waits', async () => {
  const permits = new Permits(2)
  await permits.acquire(holder(), 1000)
  await permits.acquire(holder(), 1000)
  expect(await state(permits.acquire(holder(), 1000))).toBe('waiting')
  expect(permits.waitingCount).toBe(1)
})

test('who waits is admitted in the order of asking, and nobody overtakes', async () => {
  const permits = new Permits(1)
  const [first, second, third] = [holder(), holder(), holder()]
  await permits.acquire(first, 1000)
  const order: string[] = []
  void permits.acquire(second, 1000).then(() => order.push('second'))
  void permits.acquire(third, 1000).then(() => order.push('third'))
  permits.release(first)
  const late = permits.acquire(holder(), 1000)
  expect(await state(late)).toBe('waiting')
  permits.release(second)
  permits.release(third)
  await late
  expect(order).toEqual(['second', 'third'])
  expect(permits.waitingCount).toBe(0)
})

test('giving back twice frees one place only', async () => {
  const permits = new Permits(2)
  const [first, second] = [holder(), holder()]
  await permits.acquire(first, 1000)
  await permits.acquire(second, 1000)
  const waiting = [permits.acquire(holder(), 1000), permits.acquire(holder(), 1000)]
  permits.release(first)
  permits.release(first)
  expect(await Promise.all(waiting.map(state))).toEqual(['admitted', 'waiting'])
})

test('who was admitted in time is not refused later', async () => {
  const permits = new Permits(1)
  const first = holder()
  await permits.acquire(first, 1000)
  const second = permits.acquire(holder(), 1000)
  await vi.advanceTimersByTimeAsync(999)
  permits.release(first)
  await second
  expect(vi.getTimerCount()).toBe(0)
})

describe('who waits in vain', () => {
  test('for a client in use is told where it was taken', async () => {
    const permits = new Permits(1)
    await permits.acquire(lent(), 1000)
    const refused = expect(permits.acquire(holder(), 1000)).rejects.toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(
        /^waited 1000 ms for a client; all 1 are in use, one since .*permits\.test\.ts:\d+/,
      ),
      safeToRetry: true,
    })
    await vi.advanceTimersByTimeAsync(1000)
    await refused
    expect(permits.waitingCount).toBe(0)
  })

  test('for a connection that is being opened is told so', async () => {
    const permits = new Permits(1)
    await permits.acquire(holder(), 1000)
    const refused = expect(permits.acquire(holder(), 250)).rejects.toMatchObject({
      code: 'ERR_CONNECT',
      message: 'waited 250 ms for a connection that is still being opened',
    })
    await vi.advanceTimersByTimeAsync(250)
    await refused
  })

  test.each([
    { until: 'the deadline', remainingMs: 1000, code: 'ERR_DEADLINE' },
    { until: 'some time before the deadline', remainingMs: 5000, code: 'ERR_CLIENT_NOT_RELEASED' },
  ])('for statements that run until $until is told $code', async ({ remainingMs, code }) => {
    const permits = new Permits(1)
    await permits.acquire(lent({ place: undefined, client: { isBusy: true } }), 1000)
    const asking = { ...invocation(false), deadlineAt: performance.now() + remainingMs }
    const refused = expect(permits.acquire(holder({ invocation: asking }), 1000)).rejects.toMatchObject({
      code,
      safeToRetry: true,
    })
    await vi.advanceTimersByTimeAsync(1000)
    await refused
  })

  test('leaves the queue, so that the next one is admitted', async () => {
    const permits = new Permits(1)
    const first = lent()
    await permits.acquire(first, 1000)
    const gone = permits.acquire(holder(), 100).catch(() => 'refused')
    const stays = permits.acquire(holder(), 1000)
    await vi.advanceTimersByTimeAsync(100)
    expect(await gone).toBe('refused')
    permits.release(first)
    expect(await state(stays)).toBe('admitted')
  })
})

describe('a client that an earlier invocation never gave back', () => {
  test('is taken away, and who asks is told where it was taken', async () => {
    const permits = new Permits(1)
    const forgotten = lent({ invocation: invocation(true) })
    await permits.acquire(forgotten, 1000)
    const error: unknown = await permits.acquire(holder(), 1000).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^an earlier invocation took a client and never gave it back; it was taken at /),
      safeToRetry: true,
    })
    expect(error).toHaveProperty('message', expect.stringMatching(IN_THIS_FILE))
    expect(forgotten.revoke).toHaveBeenCalledOnce()
    expect(await state(permits.acquire(holder(), 1000))).toBe('admitted')
  })

  test('that is given back late after all frees no second place', async () => {
    const permits = new Permits(1)
    const forgotten = lent({ invocation: invocation(true) })
    await permits.acquire(forgotten, 1000)
    await permits.acquire(holder(), 1000).catch(() => undefined)
    await permits.acquire(holder(), 1000)
    const waiting = permits.acquire(holder(), 1000)
    permits.release(forgotten)
    expect(await state(waiting)).toBe('waiting')
  })

  test.each([
    ['its invocation still runs', { invocation: invocation(false) }],
    ['it was taken outside an invocation', { invocation: undefined }],
  ])('is left alone when %s', async (_, changes) => {
    const permits = new Permits(1)
    const held = lent(changes)
    await permits.acquire(held, 1000)
    expect(await state(permits.acquire(holder(), 1000))).toBe('waiting')
    expect(held.revoke).not.toHaveBeenCalled()
  })

  test('is left alone while another place is free', async () => {
    const permits = new Permits(2)
    const forgotten = lent({ invocation: invocation(true) })
    await permits.acquire(forgotten, 1000)
    expect(await state(permits.acquire(holder(), 1000))).toBe('admitted')
    expect(forgotten.revoke).not.toHaveBeenCalled()
  })

  test('without a known place is taken away all the same', async () => {
    const permits = new Permits(1)
    await permits.acquire(lent({ invocation: invocation(true), place: undefined }), 1000)
    await expect(permits.acquire(holder(), 1000)).rejects.toThrow('it was taken at an unknown place')
  })
})
