/** Says what Secrets Manager's refusal means and what to change. */
import { ConnectionError } from '../base/connection-error.ts'
import { foreignError } from '../base/foreign-text.ts'
import { putSecretValueCommand } from './put-secret-value.ts'

/** By the exception's name, as the API reference lists them. */
const HINTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ResourceNotFoundException: 'Is the secret in this region and account, under this very name or ARN?',
    AccessDeniedException:
      'Allow secretsmanager:GetSecretValue on this secret, and kms:Decrypt on a key of its own, in the function role (in CDK: CockroachDatabase, given that encryptionKey).',
    InvalidRequestException: 'Is the secret scheduled for deletion? restore-secret brings it back.',
    InvalidParameterException: 'Is the secret id a name or a complete ARN?',
    ValidationException: 'Is the secret id a name or a complete ARN?',
    DecryptionFailure:
      'Allow kms:Decrypt on the key of the secret in the function role (in CDK: CockroachDatabase, given that encryptionKey).',
    UnrecognizedClientException:
      'The AWS credentials of this process are not accepted; are they of another account or expired?',
    ExpiredTokenException: 'The AWS credentials of this process have expired.',
    CredentialsProviderError: 'No AWS credentials: outside Lambda, configure them as for the AWS CLI.',
    ThrottlingException: 'Secrets Manager throttles; many execution environments may be starting at once.',
    TimeoutError: 'Can the function reach Secrets Manager? In a VPC it takes a NAT gateway or an interface endpoint.',
    AbortError: 'Can the function reach Secrets Manager? In a VPC it takes a NAT gateway or an interface endpoint.',
  }),
)

/** Secrets Manager has one exception for both; only the text tells a secret without a value from one that is absent. */
const WITHOUT_VALUE = /secret value for (staging label|versionstage): ?AWSCURRENT/i

/** `ERR_SECRET_UNAVAILABLE` with the exception's name and a hint; `ERR_SECRET_INVALID` for a secret without a value. */
export function secretUnavailable(secretId: string, error: unknown): ConnectionError {
  const cause = foreignError(error)
  if (WITHOUT_VALUE.test(cause.message)) {
    return new ConnectionError('ERR_SECRET_INVALID', `secret "${secretId}" has no value yet`, {
      cause,
      hint: `Fill it: ${putSecretValueCommand(secretId, 'postgresql://…')}`,
      safeToRetry: true,
    })
  }
  // With several addresses refused, Node gives a code and no message.
  const text = cause.message === '' && 'code' in cause ? String(cause.code) : cause.message
  const message = `GetSecretValue for "${secretId}" failed: ${cause.name}: ${text}`
  const hint = HINTS.get(cause.name) ?? 'Can the function reach Secrets Manager, and does its role allow it?'
  return new ConnectionError('ERR_SECRET_UNAVAILABLE', message, { cause, hint, safeToRetry: true })
}

/** True for the answer that a secret has no version with the stage that was asked for. */
export function isResourceNotFound(error: unknown): boolean {
  return (
    error instanceof ConnectionError && error.cause instanceof Error && error.cause.name === 'ResourceNotFoundException'
  )
}
