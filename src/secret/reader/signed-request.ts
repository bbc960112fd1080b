/** Reads a secret with one request that is signed here, so that a cold start need not load the AWS SDK. */
import { foreignText } from '../../base/foreign-text.ts'
import type { RoleAccess } from '../../settings/role-access.ts'
import { readMembers, secretValue, textOf } from './answer.ts'
import type { GetSecretValue } from './request.ts'
import { signedPost } from './signed-post.ts'

const WHO = 'Secrets Manager'
const HEADERS = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'secretsmanager.GetSecretValue' }
/** After this long without a byte the SDK is used, with its own limits and repeats. */
const SILENCE_MS = 1000

/** Exceptions that a repeat would not change. After any other, such as a throttle or a wrong clock, the SDK is used. */
const FINAL_ERRORS = [
  'AccessDeniedException',
  'DecryptionFailure',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceNotFoundException',
  'ValidationException',
]

/** Secrets Manager's exception, by its name. */
export class RefusedRequest extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

/**
 * A reader with the role's own keys.
 *
 * @throws RefusedRequest for a refusal that is final; any other error when the SDK may succeed.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function signedRequestReader(access: RoleAccess): GetSecretValue {
  return async ({ secretId: SecretId, versionStage: VersionStage, signal, onSent }) => {
    const { statusCode, body } = await signedPost(access, {
      ...{ headers: HEADERS, body: JSON.stringify({ SecretId, VersionStage }), silenceMs: SILENCE_MS, signal },
      ...(onSent !== undefined && { onSent }),
    })
    if (statusCode === 200) return secretValue(body, WHO)
    const { __type, message, Message } = readMembers(body, WHO)
    const type = textOf(__type)?.replace(/^.*#/, '') ?? ''
    if (!FINAL_ERRORS.includes(type)) throw new Error(`${WHO} answered ${statusCode}`)
    const words = textOf(message) ?? textOf(Message) ?? ''
    throw new RefusedRequest(type, foreignText(words, [access.secretAccessKey, access.sessionToken]))
  }
}
