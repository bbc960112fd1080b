/** Turns an error of Secrets Manager into one of this package. */
import { ConnectionError } from '../base/connection-error.ts'
import { foreignError } from '../base/foreign-text.ts'
import { secretHint } from './hint.ts'
import { putSecretValueHint } from './put-secret-value.ts'

/** Secrets Manager has one exception for a secret without a value and an absent one; only the text differs. */
const WITHOUT_VALUE = /secret value for (staging label|versionstage): ?AWSCURRENT/i

/** `ERR_SECRET_UNAVAILABLE` with the exception's name and a hint; `ERR_SECRET_INVALID` for a secret without a value. */
export function secretUnavailable(secretId: string, error: unknown): ConnectionError {
  const cause = foreignError(error)
  if (WITHOUT_VALUE.test(cause.message)) {
    return new ConnectionError('ERR_SECRET_INVALID', `secret "${secretId}" has no value yet`, {
      cause,
      hint: putSecretValueHint(secretId),
      safeToRetry: true,
    })
  }
  // With several addresses refused, Node gives a code and no message.
  const text = cause.message === '' && 'code' in cause ? String(cause.code) : cause.message
  const message = `GetSecretValue for "${secretId}" failed: ${cause.name}: ${text}`
  const hint = secretHint(cause)
  return new ConnectionError('ERR_SECRET_UNAVAILABLE', message, { cause, hint, safeToRetry: true })
}

/** True for the answer that a secret has no version with the stage that was asked for. */
export function isResourceNotFound(error: unknown): boolean {
  return (
    error instanceof ConnectionError && error.cause instanceof Error && error.cause.name === 'ResourceNotFoundException'
  )
}
