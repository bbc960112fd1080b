/** Why a step of a rotation failed. */
import { foreignError, type Secrets } from '../../src/base/foreign-text.ts'

export interface RotationErrorOptions {
  /** Of a ConnectionError, an SQLSTATE, or the name of AWS's exception. */
  readonly code: string
  /** What to change. */
  readonly hint?: string | undefined
}

/** Of an error that a function throws, Lambda's log and Secrets Manager show name and message: the message has everything. */
export class RotationError extends Error {
  override readonly name = 'RotationError'
  readonly code: string
  readonly hint: string | undefined

  constructor(message: string, { code, hint }: RotationErrorOptions) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

/** By the name of AWS's exception. */
const AWS_HINTS: Readonly<Record<string, string>> = {
  AccessDeniedException:
    "Allow the function's role secretsmanager:DescribeSecret, GetSecretValue, PutSecretValue and UpdateSecretVersionStage for this secret, GetSecretValue for the master secret, and kms:Decrypt and kms:GenerateDataKey for a key of your own.",
  ResourceNotFoundException: 'Does the secret have a value, and the master secret too?',
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/**
 * The one error of a failed step.
 * @param secrets the passwords that this step has read, which no message may hold.
 */
export function stepError(error: unknown, step: string, secretId: string, secrets: Secrets): RotationError {
  const shown: Error & { code?: unknown; hint?: unknown } = foreignError(error, secrets)
  const code = text(shown.code) ?? shown.name
  const hint = text(shown.hint) ?? AWS_HINTS[code]
  const reason = shown.message.includes(code) ? shown.message : `${shown.message} (${code})`
  const message = `${step} of secret "${secretId}" failed: ${reason}${hint === undefined ? '' : `. ${hint}`}`
  return new RotationError(message, { code, hint })
}
