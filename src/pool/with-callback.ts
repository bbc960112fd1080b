/** pg's methods in their two forms: they return a promise, or call a callback. */

/**
 * `answer` itself without a callback; with one, nothing: the callback is called in a turn of its own, so that what it
 * throws is uncaught, as with pg, and not a rejection of ours.
 */
export function withCallback<Value>(
  answer: Promise<Value>,
  callback: ((error: unknown, value?: Value) => void) | undefined,
): Promise<Value> | undefined {
  if (callback === undefined) return answer
  answer.then(
    (value) => process.nextTick(callback, undefined, value),
    (error: unknown) => process.nextTick(callback, error),
  )
  return undefined
}
