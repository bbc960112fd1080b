/** How long to wait before trying again. */

export interface Backoff {
  /** The longest wait before the first repeat, in milliseconds; it doubles with each repeat. */
  readonly baseMs: number
  /** No wait is longer than this, in milliseconds. */
  readonly capMs: number
}

/**
 * A wait with full jitter: between 0 and the doubled base, so that many execution environments do not repeat at one moment.
 *
 * @param attempt 0 before the first repeat
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitterMs(attempt: number, { baseMs, capMs }: Backoff, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** attempt)
}
