/** The init phase: how long it may wait for a connection, and what it must not keep. */
import { monotonicNow } from '../base/clock.ts'
import { within } from '../base/within.ts'
import type { Platform } from '../settings/settings.ts'
import { currentInvocation, endOfStep } from './deadline.ts'

/** @see https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib */
const INIT_LIMIT_MS = 10_000
/** Of that, for what comes before this process, such as extensions, and for the rest of the function's module. */
const SPARE_MS = 1000

/** How long a wait may last that was meant to last `limitMs`; a process that is older than init can be is not in it. */
export function waitInInitMs(limitMs: number, uptimeMs: number): number {
  return uptimeMs < INIT_LIMIT_MS ? Math.max(0, Math.min(limitMs, INIT_LIMIT_MS - SPARE_MS - uptimeMs)) : limitMs
}

/** Waits for `work`, whatever comes of it: at most `limitMs`, until init has to end, or until the invocation's deadline. */
export async function waitFor(work: Promise<void>, limitMs: number, { isLambda }: Platform): Promise<void> {
  const longestMs = isLambda ? waitInInitMs(limitMs, process.uptime() * 1000) : limitMs
  const now = monotonicNow()
  await within({ limitMs: endOfStep(longestMs, now) - now, error: () => undefined }, work).catch(() => undefined)
}

/**
 * Turns of the microtask queue from the end of the function's module: AWS's runtime interface clients have called the
 * module's `then` by the third, and ask for an invocation, which ends init, in the tenth or later.
 */
const TURNS = 5

/** Resolves when the function's module has run and has said whether it waits, while init lasts. */
export async function moduleHasRun(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await undefined
}

/** True for what SnapStart would clone: a connection, a secret. Such a one is used at once, and not kept. */
export function isForSnapshot({ isBeforeSnapshot }: Platform): boolean {
  return currentInvocation() === undefined && isBeforeSnapshot()
}

/** A function that waits, and in the place of a module's `then` has those who import the module wait. */
export interface Ready {
  /** Waits until a connection is open, 3 s at most; it never throws. */
  (): Promise<void>
  /** For a module: `export { ready as then } from 'cockroach-lambda'`. */
  (resolve: (exports: object) => void): Promise<void>
}

/**
 * By the language's rule, what `import()` returns is awaited, and so is a module that exports `then`: the runtime awaits
 * the function's module so, CommonJS too. It resolves to the module's other exports; with `then` it would be awaited anew.
 *
 * @see https://tc39.es/ecma262/#sec-promise-resolve-functions
 */
export function readyAfter(connect: () => Promise<void>): Ready {
  return async function (this: unknown, resolve?: (exports: object) => void): Promise<void> {
    await connect()
    if (typeof resolve !== 'function') return
    const { then, ...exports } = Object(this)
    resolve(exports)
  }
}
