/** The result that the caller of a function gets. */
import type { FunctionError } from './function-error.ts'

export interface InvocationResult {
  readonly ok: boolean
  /** The parsed response; absent when there is an error. */
  readonly payload?: unknown
  readonly error?: FunctionError
  readonly timedOut: boolean
  /** From the call to the answer, a repeated init phase included. */
  readonly ms: number
}

export interface InvokeOptions {
  /** @default the function's timeoutSeconds */
  readonly timeoutMs?: number
}
