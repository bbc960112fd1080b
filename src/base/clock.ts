/** Time and random numbers, as parameters of the modules whose decisions depend on them. */
import { processWide } from './process-wide.ts'

export interface Clock {
  /** Milliseconds since 1970, the machine's date: for dates. It can be set forward and back, by any time. */
  readonly now: () => number
  /** Milliseconds since some moment: for limits, since setting the date does not change it. */
  readonly monotonicNow: () => number
  /** Milliseconds since about 1970: for ages, since it counts a freeze and never goes back. */
  readonly steadyNow: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** From 0 up to but not including 1. */
  readonly random: () => number
}

/** A larger change of the difference between the two clocks, in milliseconds, means that one was set or stood still. */
const DRIFT_MS = 100

/**
 * A clock for ages, made of two. The monotonic clock may stand still while an execution environment is frozen: what
 * the wall clock then gains is added. The wall clock may be set back: that is not subtracted.
 *
 * @see https://man7.org/linux/man-pages/man2/clock_gettime.2.html CLOCK_MONOTONIC "does not count time that the system is suspended"
 */
export function steadyClock(now: () => number, monotonicNow: () => number): () => number {
  let lead = now() - monotonicNow()
  let leadSeen = lead
  return () => {
    const monotonic = monotonicNow()
    const change = now() - monotonic - leadSeen
    if (Math.abs(change) > DRIFT_MS) {
      leadSeen += change
      lead += Math.max(0, change)
    }
    return Math.round(monotonic + lead)
  }
}

const now = (): number => Date.now()

/** Not `performance.now()`: its first call has Node load all of `perf_hooks`, which takes a cold start milliseconds. */
export function monotonicNow(): number {
  return process.uptime() * 1000
}

export const SYSTEM_CLOCK: Clock = {
  now,
  monotonicNow,
  // Copies of this package compare times of each other.
  steadyNow: processWide('steady-clock.1', () => steadyClock(now, monotonicNow)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  // Math.random alone would go on alike in all environments that start from one SnapStart snapshot.
  random: () => (Math.random() + monotonicNow()) % 1,
}
