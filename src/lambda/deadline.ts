/** The invocation under way, and how much of its time is left. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { monotonicNow } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import { publish } from '../base/diagnostics.ts'
import { processWide } from '../base/process-wide.ts'
import type { Limit } from '../base/within.ts'

/** One invocation of the function, as everything below it sees it. */
export interface Invocation {
  readonly awsRequestId: string | undefined
  /** When statements must have ended, on the monotonic clock in milliseconds: Lambda's deadline less a margin. `Infinity` without one. */
  readonly deadlineAt: number
  /** Time between `deadlineAt` and Lambda's own deadline, in milliseconds: for cancelling and for the handler's answer. */
  readonly marginMs: number
  /** True once the handler has answered. */
  hasEnded: boolean
}

/** Calls something as part of no invocation: a timer would keep the one that sets it in memory. */
export const outsideInvocations = AsyncLocalStorage.snapshot()

/** The copy whose `withDatabase()` wraps the handler may be another one than the copy whose `query()` it calls. */
const storage = processWide('invocation.1', () => new AsyncLocalStorage<Invocation>())

/** At most this part of an invocation's time is kept free, so that short time-outs still leave time to work. */
const LARGEST_MARGIN = 0.25

/** Longer than any invocation, and longer than a timer can count. */
const LONGEST_MS = 2 ** 31 - 1

/** What a handler's call says about its invocation. */
export interface InvocationTime {
  readonly awsRequestId: string | undefined
  /** Until Lambda ends the invocation, in milliseconds, as the context reports it: without a number there is no deadline. */
  readonly remainingMs: unknown
  /** To keep free before that, in milliseconds. */
  readonly marginMs: number
  /** On the monotonic clock, in milliseconds. */
  readonly now: number
}

/** Runs a handler with its deadline known to everything that it calls. */
export function runInvocation<Result>(time: InvocationTime, work: () => Promise<Result>): Promise<Result> {
  const { awsRequestId, remainingMs: given, now } = time
  const isBounded = typeof given === 'number' && given <= LONGEST_MS
  const remainingMs = isBounded ? Math.max(0, given) : Number.POSITIVE_INFINITY
  const marginMs = Math.min(time.marginMs, remainingMs * LARGEST_MARGIN)
  const invocation: Invocation = { awsRequestId, deadlineAt: now + remainingMs - marginMs, marginMs, hasEnded: false }
  publish('invocation', { awsRequestId, hasEnded: false })
  return storage.run(invocation, work).finally(() => {
    invocation.hasEnded = true
    publish('invocation', { awsRequestId, hasEnded: true })
  })
}

/** Calls something as part of an invocation, from a timer that is part of none. */
export function inInvocation(invocation: Invocation, work: () => void): void {
  storage.run(invocation, work)
}

export function currentInvocation(): Invocation | undefined {
  return storage.getStore()
}

/** How long a statement may take, in milliseconds: `Infinity` without a deadline. */
export function budgetOf(invocation: Invocation | undefined): number {
  return invocation === undefined ? Number.POSITIVE_INFINITY : invocation.deadlineAt - monotonicNow()
}

/** A timer may come this much early, in milliseconds. */
const TIMER_PRECISION_MS = 2

/** True when the invocation's time is up. */
export function isAtDeadline(invocation: Invocation | undefined): boolean {
  return invocation !== undefined && monotonicNow() + TIMER_PRECISION_MS >= invocation.deadlineAt
}

/** When a step of at most `limitMs` has to end, on the monotonic clock in milliseconds: the invocation's deadline if that is sooner. */
export function endOfStep(limitMs: number, now: number): number {
  return Math.min(now + limitMs, currentInvocation()?.deadlineAt ?? Number.POSITIVE_INFINITY)
}

/** A peer that the deadline left less time than this, in milliseconds, is not to blame for its silence. */
export const FAIR_MS = 250

/** The error for connecting that took until `endAt`, which is the invocation's deadline or the limit of the step. */
export function outOfTime(what: string, endAt: number): ConnectionError {
  if (endAt === currentInvocation()?.deadlineAt) return deadlineError(what, true)
  const hint = 'Can the function reach Secrets Manager and the server? In a VPC both need a NAT gateway or an endpoint.'
  return new ConnectionError('ERR_CONNECT', `${what} in time`, { hint, safeToRetry: true })
}

/** Shorter than the limit of connecting, so that the error reports the reason and not only the time. */
export const ANSWER_TIMEOUT_MS = 4000
/** Time before the deadline in which to report the reason, in milliseconds. */
const SPARE_MS = 100

/** @param toError makes the error of the step from the reason, a `TimeoutError` */
export function noAnswer(limitMs: number, toError: (cause: Error) => ConnectionError): Limit {
  const cause = () => Object.assign(new Error(`no answer within ${Math.round(limitMs)} ms`), { name: 'TimeoutError' })
  return { limitMs, error: () => toError(cause()) }
}

/**
 * The limit of an answer that a connection cannot be opened without.
 *
 * @param what is missing at the deadline: "the secret was not read"
 */
export function answerLimit(what: string, toError: (cause: Error) => ConnectionError): Limit {
  const now = monotonicNow()
  const endAt = endOfStep(ANSWER_TIMEOUT_MS + SPARE_MS, now)
  const limitMs = endAt - now
  if (limitMs < FAIR_MS) return { limitMs, error: () => outOfTime(what, endAt) }
  return noAnswer(limitMs - SPARE_MS, toError)
}

/** The error for work that does not end before the deadline. */
export function deadlineError(what: string, safeToRetry: boolean): ConnectionError {
  return new ConnectionError('ERR_DEADLINE', `${what}: the invocation's deadline is near`, {
    hint: 'Give the function a longer timeout, or make the statement faster.',
    safeToRetry,
  })
}
