/** The time that an init phase or an invocation has. */

export interface TimeLimit {
  readonly ms: number
  readonly signal: AbortSignal
}

export function timeLimit(ms: number): TimeLimit {
  return { ms, signal: AbortSignal.timeout(ms) }
}

/** `undefined` when the time is up first. */
export async function orTimeUp<T>(work: Promise<T>, { signal }: TimeLimit): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const onTimeUp = () => resolve(undefined)
  if (signal.aborted) onTimeUp()
  signal.addEventListener('abort', onTimeUp, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onTimeUp)
  }
}
