import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import type { Invocation } from '../../../src/lambda/deadline.ts'
import { DeadlineWatch, type WatchedStatement } from '../../../src/pool/deadline-watch.ts'

const MODULE = join(import.meta.dirname, '../../../src/pool/deadline-watch.ts')

function invocationFor(leftMs: number): Invocation {
  return { awsRequestId: undefined, deadlineAt: performance.now() + leftMs, marginMs: 100, hasEnded: false }
}

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
  expect(performance.now()).toBeGreaterThanOrEqual(second.deadlineAt - 2)
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

test('without a deadline nothing is watched', () => {
  const { watch } = openWatch()
  expect(watch.begin(undefined, Number.POSITIVE_INFINITY)).toBeUndefined()
  expect(watch.begin(invocationFor(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY)).toBeUndefined()
})

test('a deadline that nobody waits for keeps no process alive', async () => {
  const script = `
    const { DeadlineWatch } = await import(${JSON.stringify(MODULE)})
    const watch = new DeadlineWatch(() => process.exit(1))
    watch.end(watch.begin({ deadlineAt: performance.now() + 600_000, marginMs: 100, hasEnded: false }, 600_000))`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 })
})
