/** Time and dice, as parameters: the modules that decide by them get them handed in. */

export interface Clock {
  /** Milliseconds since 1970: wall-clock time goes on while an execution environment is frozen. */
  readonly now: () => number
  /** Milliseconds since some moment: for time limits, since a corrected wall clock does not move it. */
  readonly monotonicNow: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** From 0 up to but not including 1. */
  readonly random: () => number
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonicNow: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  random: Math.random,
}
