/** Time and dice, as parameters: the modules that decide by them get them handed in. */
import { processWide } from './process-wide.ts'

export interface Clock {
  /** Milliseconds since 1970, as the machine has it: for dates. It can be set, by a day and in both directions. */
  readonly now: () => number
  /** Milliseconds since some moment: for time limits, since a corrected wall clock does not move it. */
  readonly monotonicNow: () => number
  /** Milliseconds since about 1970: for ages, since it goes on during a freeze and never goes back. */
  readonly steadyNow: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** From 0 up to but not including 1. */
  readonly random: () => number
}

/** By more than this, in milliseconds, the two clocks differ only when one was set or stood still. */
const DRIFT_MS = 1000

/**
 * A clock for ages, made of two. The monotonic one may stand still while an execution environment is frozen: the wall
 * clock then goes ahead of it, and that counts. The wall clock may be set back: that does not count.
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
const monotonicNow = (): number => performance.now()

export const SYSTEM_CLOCK: Clock = {
  now,
  monotonicNow,
  // Times of one copy of this package are read by others.
  steadyNow: processWide('steady-clock.1', () => steadyClock(now, monotonicNow)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
}
