import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Permits } from '../../../src/pool/permits.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** A semaphore of which `max` permits are taken. */
function takenPermits(max: number): Permits {
  const permits = new Permits(max)
  for (let taken = 0; taken < max; taken += 1) expect(permits.tryAcquire()).toBe(true)
  return permits
}

/** Waits for so long, in milliseconds. */
function patience(ms: number): () => number {
  const endAt = Date.now() + ms
  return () => endAt - Date.now()
}

describe('a free permit', () => {
  test('is taken at once by tryAcquire()', () => {
    const permits = new Permits(1)
    expect([permits.tryAcquire(), permits.takenCount]).toEqual([true, 1])
  })

  test('is taken at once by acquire(), without a timer', async () => {
    const permits = new Permits(1)
    expect(await permits.acquire(patience(1000))).toBe(true)
    expect([permits.takenCount, permits.waitingCount, vi.getTimerCount()]).toEqual([1, 0, 0])
  })

  test('is there again after release()', () => {
    const permits = takenPermits(1)
    permits.release()
    expect([permits.takenCount, permits.tryAcquire()]).toEqual([0, true])
  })
})

describe('without a free permit', () => {
  test('tryAcquire() is false', () => {
    const permits = takenPermits(2)
    expect([permits.tryAcquire(), permits.takenCount]).toEqual([false, 2])
  })

  test('acquire() waits for release()', async () => {
    const permits = takenPermits(2)
    const waiting = permits.acquire(patience(1000))
    expect(permits.waitingCount).toBe(1)
    permits.release()
    expect(await waiting).toBe(true)
    expect([permits.takenCount, permits.waitingCount]).toEqual([2, 0])
  })

  test('acquire() is false after its time', async () => {
    const permits = takenPermits(1)
    const waiting = permits.acquire(patience(250))
    await vi.advanceTimersByTimeAsync(249)
    expect(permits.waitingCount).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(await waiting).toBe(false)
    expect([permits.takenCount, permits.waitingCount]).toEqual([1, 0])
  })

  test('acquire() asks again after each wait whether to wait on', async () => {
    const permits = takenPermits(1)
    const waits = [100, 100, 0]
    const waiting = permits.acquire(() => waits.shift() ?? 0)
    await vi.advanceTimersByTimeAsync(199)
    expect(permits.waitingCount).toBe(1)
    await vi.advanceTimersByTimeAsync(1)
    expect([await waiting, waits]).toEqual([false, []])
  })

  test('acquire() stays true when its time ends after release()', async () => {
    const permits = takenPermits(1)
    const waiting = permits.acquire(patience(1000))
    await vi.advanceTimersByTimeAsync(999)
    permits.release()
    expect([await waiting, vi.getTimerCount()]).toEqual([true, 0])
  })
})

describe('those who wait', () => {
  test('get permits in the order of asking, and nobody overtakes', async () => {
    const permits = takenPermits(1)
    const order: string[] = []
    const waiting = ['first', 'second', 'third'].map((name) =>
      permits.acquire(patience(1000)).then(() => order.push(name)),
    )
    for (const [at] of waiting.entries()) {
      permits.release()
      expect(permits.tryAcquire()).toBe(false)
      await waiting[at]
    }
    expect(order).toEqual(['first', 'second', 'third'])
  })

  test('get one permit for each release()', async () => {
    const permits = takenPermits(2)
    const waiting = [permits.acquire(patience(1000)), permits.acquire(patience(1000))]
    permits.release()
    expect([await waiting[0], permits.waitingCount]).toEqual([true, 1])
  })

  test('leave the queue when their time is over, so that the next one gets the permit', async () => {
    const permits = takenPermits(1)
    const gone = permits.acquire(patience(100))
    const stays = permits.acquire(patience(1000))
    await vi.advanceTimersByTimeAsync(100)
    permits.release()
    expect([await gone, await stays]).toEqual([false, true])
  })
})

test('refuseWaiting() is false for all who wait, leaves no timer, and takes no permit from those who have one', async () => {
  const permits = takenPermits(1)
  const waiting = [permits.acquire(patience(1000)), permits.acquire(patience(1000))]
  permits.refuseWaiting()
  expect([await Promise.all(waiting), vi.getTimerCount()]).toEqual([[false, false], 0])
  expect([permits.takenCount, permits.waitingCount]).toEqual([1, 0])
})
