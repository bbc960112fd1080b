/** Waits for work that may go on when the wait has ended. */

/** The longest wait, in milliseconds, and what it ends with. */
export interface Limit {
  readonly limitMs: number
  readonly error: () => unknown
}

/** Stops waiting in time; the work goes on. */
export function within<Value>({ limitMs, error }: Limit, work: Promise<Value>): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const timer = setTimeout(() => reject(error()), limitMs)
  void work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}
