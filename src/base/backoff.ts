/** How long to wait before trying again. */

export interface Backoff {
  /** The longest wait before the first repetition, in milliseconds; doubles with each one. */
  readonly baseMs: number
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number
}

/**
 * A wait with full jitter: anything from nothing to the doubled base, so that many execution environments spread out.
 *
 * @param attempt 0 before the first repetition
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitterMs(attempt: number, { baseMs, capMs }: Backoff, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt)
}
