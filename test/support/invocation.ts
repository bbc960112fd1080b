/** Runs work as a handler does that `withDatabase()` wraps. */
import { monotonicNow } from '../../src/base/clock.ts'
import { runInvocation } from '../../src/lambda/deadline.ts'

/** @param remainingMs until Lambda would end the invocation; a quarter of it is kept free, half a second at most */
export function inInvocation<Result>(remainingMs: number, work: () => Promise<Result>): Promise<Result> {
  return runInvocation({ awsRequestId: undefined, remainingMs, marginMs: 500, now: monotonicNow() }, work)
}
