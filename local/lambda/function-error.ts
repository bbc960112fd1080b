/** Errors as Lambda reports them to the caller of a function. */

export interface FunctionError {
  /** The name of the error's class, or one of Lambda's own, like `Runtime.ExitError`. */
  readonly errorType: string
  readonly errorMessage: string
  /** The lines of the stack; absent when the error is Lambda's own. */
  readonly trace?: readonly string[]
}

/** How a process ended: Node's pair of exit code and signal. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The runtime's process ended before it answered. */
export function exitError(requestId: string, { code, signal }: ExitStatus): FunctionError {
  const reason = describeExit(code, signal)
  return { errorType: 'Runtime.ExitError', errorMessage: `RequestId: ${requestId} Error: ${reason}` }
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${SIGNAL_WORDS[signal] ?? signal}`
  return code === 0 ? 'Runtime exited without providing a reason' : `Runtime exited with error: exit status ${code}`
}

/** Go's words for signals, since Lambda is written in Go. */
const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
}

/** The invocation took longer than the function's time-out. */
export function timeoutError(requestId: string, timeoutMs: number): FunctionError {
  const seconds = (timeoutMs / 1000).toFixed(2)
  return {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`,
  }
}

/** What the runtime posts as an error is JSON of this shape; anything else is text. */
export function parseFunctionError(body: string): FunctionError {
  try {
    const { errorType, errorMessage, trace } = JSON.parse(body)
    return { errorType: String(errorType), errorMessage: String(errorMessage), ...(Array.isArray(trace) && { trace }) }
  } catch {
    return { errorType: 'Runtime.Unknown', errorMessage: body }
  }
}
