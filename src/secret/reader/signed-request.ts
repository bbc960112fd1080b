/** Reads a secret with one request that is signed here, so that a cold start need not load the AWS SDK. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { foreignText } from '../../base/foreign-text.ts'
import { VERIFIED_TLS } from '../../base/verified-tls.ts'
import type { RoleAccess } from '../../settings/role-access.ts'
import { readMembers, secretValue, textOf } from './answer.ts'
import { type Answer, exchange } from './exchange.ts'
import type { GetSecretValue, SecretRequest } from './request.ts'
import { amzDate, authorization } from './signature.ts'

const WHO = 'Secrets Manager'
const SERVICE = 'secretsmanager'
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

function headersOf({ endpoint, region, accessKeyId, secretAccessKey, sessionToken }: RoleAccess, body: string) {
  const date = amzDate(new Date())
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    host: endpoint.host,
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken.reveal() }),
    'x-amz-target': `${SERVICE}.GetSecretValue`,
  }
  const signer = { accessKeyId, secretAccessKey: secretAccessKey.reveal(), region, service: SERVICE }
  return {
    ...headers,
    authorization: authorization(signer, date, { method: 'POST', path: '/', query: {}, headers, body }),
  }
}

function post(access: RoleAccess, body: string, { signal, onSent }: SecretRequest): Promise<Answer> {
  const { protocol, hostname: host, port } = access.endpoint
  const request = protocol === 'https:' ? httpsRequest : httpRequest
  const sent = request({
    ...VERIFIED_TLS,
    ...{ method: 'POST', host: host.replace(/^\[|\]$/g, ''), port, headers: headersOf(access, body), signal },
    // Without an agent: the next reading is minutes away, and a connection does not survive a freeze.
    agent: false,
  })
  sent.setTimeout(SILENCE_MS, () => sent.destroy(new Error(`${WHO} was silent for ${SILENCE_MS} ms`)))
  return exchange(sent, body, onSent)
}

/**
 * A reader with the role's own keys.
 *
 * @throws RefusedRequest for a refusal that is final; any other error when the SDK may succeed.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function signedRequestReader(access: RoleAccess): GetSecretValue {
  return async (request) => {
    const members = { SecretId: request.secretId, VersionStage: request.versionStage }
    const { statusCode, body } = await post(access, JSON.stringify(members), request)
    if (statusCode === 200) return secretValue(body, WHO)
    const { __type, message, Message } = readMembers(body, WHO)
    const type = textOf(__type)?.replace(/^.*#/, '') ?? ''
    if (!FINAL_ERRORS.includes(type)) throw new Error(`${WHO} answered ${statusCode}`)
    const words = textOf(message) ?? textOf(Message) ?? ''
    throw new RefusedRequest(type, foreignText(words, [access.secretAccessKey, access.sessionToken]))
  }
}
