/** Has errors name the code that asked, as pg's own do. */
import { ConnectionError } from './connection-error.ts'
import { isDatabaseError } from './database-error.ts'

/**
 * Replaces the stack of an error of ours, or of the server's, which was made where a socket or a timer reported.
 *
 * @param callSite carries the stack to take; without it, that of the callers who await what failed: to be called after
 * an `await`, in a function that they await, and that nobody else listens to
 */
export function nameCallers(error: unknown, callSite?: Error): void {
  if (!isDatabaseError(error) && !(error instanceof ConnectionError)) return
  if (callSite === undefined) Error.captureStackTrace(error)
  else error.stack = String(callSite.stack).replace(String(callSite), () => String(error))
}
