import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { monotonicNow } from '../../../src/base/clock.ts'
import { currentInvocation, type Invocation, runInvocation } from '../../../src/lambda/deadline.ts'
import { DeadlineWatch, type WatchedStatement } from '../../../src/pool/deadline-watch.ts'

const MODULE = join(import.meta.dirname, '../../../src/pool/deadline-watch.ts')

function invocationFor(leftMs: number): Invocation {
  const deadlineAt = monotonicNow() + leftMs
  return { awsRequestId: undefined, deadlineAt, marginMs: 100, hasEnded: false }
}

afterEach(() => {
  vi.restoreAllMocks()
})

/** A watch, and the first statement whose deadline it reports. */
function openWatch() {
  const { promise: late, resolve } = Promise.withResolvers<WatchedStatement>()
  const reported: WatchedStatement[] = []
  const watch = new DeadlineWatch((statement) => {
    reported.push(statement)
    resolve(statement)
  })
  return { watch, late, reported }
}

test('a statement under way at its deadline is reported then, and one that has ended is not', async () => {
  const { watch, late, reported } = openWatch()
  const [first, second] = [invocationFor(30), invocationFor(60)]
  watch.end(watch.begin(first, 30))
  const underWay = watch.begin(second, 60)
  expect(await late).toBe(underWay)
  expect(monotonicNow()).toBeGreaterThanOrEqual(second.deadlineAt - 2)
  expect(reported).toEqual([underWay])
})

test('of two invocations, the one with the sooner deadline is reported first, whichever began first', async () => {
  const { watch, late } = openWatch()
  watch.begin(invocationFor(10_000), 10_000)
  const sooner = watch.begin(invocationFor(20), 20)
  expect(await late).toBe(sooner)
  watch.stop()
})

test('the statements of an invocation share a timer', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  const { watch } = openWatch()
  const invocation = invocationFor(10_000)
  for (let left = 100; left > 0; left -= 1) watch.end(watch.begin(invocation, 10_000))
  expect(setTimer).toHaveBeenCalledOnce()
  watch.stop()
})

test('any number of statements may be under way when the timer of an earlier invocation comes', async () => {
  const { watch, late } = openWatch()
  watch.end(watch.begin(invocationFor(1), 1))
  const invocation = invocationFor(200)
  for (let left = 200_000; left > 0; left -= 1) watch.begin(invocation, 200)
  // One of its statements: which is the first that is late depends on the clock while they are looked at.
  expect((await late).invocation).toBe(invocation)
})

test('nothing is watched when the connection has ended', () => {
  const { watch } = openWatch()
  watch.stop()
  expect(watch.begin(invocationFor(1000), 1000)).toBeUndefined()
})

test('the timer is part of no invocation, and a statement is reported as part of its own', async () => {
  const { promise: late, resolve } = Promise.withResolvers<string | undefined>()
  const watch = new DeadlineWatch(() => resolve(currentInvocation()?.awsRequestId))
  const invoke = (awsRequestId: string, remainingMs: number, work: () => Promise<unknown>) =>
    runInvocation({ awsRequestId, remainingMs, marginMs: 0, now: monotonicNow() }, work)
  const { setTimeout: setTimer } = globalThis
  const invocationsOfTimers: unknown[] = []
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((look: () => void, ms: number) => {
    invocationsOfTimers.push(currentInvocation())
    return setTimer(look, ms)
  }) as typeof setTimeout)
  await invoke('first', 30, async () => watch.end(watch.begin(currentInvocation(), 30)))
  await invoke('second', 60, () => {
    watch.begin(currentInvocation(), 60)
    return late
  })
  expect(await late).toBe('second')
  expect(invocationsOfTimers).toEqual([undefined, undefined])
})

test('without a deadline nothing is watched', () => {
  const { watch } = openWatch()
  expect(watch.begin(undefined, Number.POSITIVE_INFINITY)).toBeUndefined()
  expect(watch.begin(invocationFor(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY)).toBeUndefined()
})

test('a deadline that nobody waits for keeps no process alive', async () => {
  const script = `
    const { DeadlineWatch } = await import(${JSON.stringify(MODULE)})
    const watch = new DeadlineWatch(() => process.exit(1))
    watch.end(watch.begin({ deadlineAt: process.uptime() * 1000 + 600_000, marginMs: 100, hasEnded: false }, 600_000))`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 })
})
