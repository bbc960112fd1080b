/** What stopped a walk, with its remedy. */
import { ConnectionError } from '../../src/base/connection-error.ts'
import { foreignError } from '../../src/base/foreign-text.ts'
import type { Circumstances } from './remedies/remedy.ts'
import { remedyFor } from './remedies.ts'
import type { Failure } from './report.ts'
import type { StepFailure } from './walk.ts'

/** Code, message and hint of whatever ended a step. */
function faultOf(error: unknown): { code: string; message: string; hint: string | undefined } {
  if (error instanceof ConnectionError) return { code: error.code, message: error.message, hint: error.hint }
  if (error instanceof Error) {
    const known = foreignError(error)
    const code = 'code' in known && typeof known.code === 'string' ? known.code : known.name
    return { code, message: known.message, hint: undefined }
  }
  // The error of a health report.
  const { code = 'ERR_CONNECT', message = '', hint } = Object(error)
  return { code, message, hint }
}

export function failureOf({ step, cause }: StepFailure, circumstances: Circumstances): Failure {
  const { code, message, hint } = faultOf(cause)
  const { why, mend } = remedyFor({ step, code, message, hint }, circumstances)
  return { step, code, saw: message, why, mend }
}
