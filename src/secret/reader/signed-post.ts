/** Posts to a service of AWS, signed with the role's own keys, so that a cold start need not load the AWS SDK. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { VERIFIED_TLS } from '../../base/verified-tls.ts'
import type { RoleAccess } from '../../settings/role-access.ts'
import { type Answer, exchange } from './exchange.ts'
import type { SecretRequest } from './request.ts'
import { amzDate, authorization } from './signature.ts'

export interface SignedPost extends Pick<SecretRequest, 'signal' | 'onSent'> {
  /** Names in lower case, less those that the signature adds. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** It is given up after this long without a byte, in milliseconds. */
  readonly silenceMs: number
}

function signedHeaders(access: RoleAccess, { headers: given, body }: SignedPost): Record<string, string> {
  const { endpoint, sessionToken } = access
  const date = amzDate(new Date())
  const headers = {
    ...given,
    host: endpoint.host,
    'x-amz-date': date,
    ...(sessionToken !== undefined && { 'x-amz-security-token': sessionToken.reveal() }),
  }
  const signer = { ...access, secretAccessKey: access.secretAccessKey.reveal() }
  const request = { method: 'POST', path: '/', query: {}, headers, body } as const
  return { ...headers, authorization: authorization(signer, date, request) }
}

/** The answer, whatever its status is; rejects when there is none. */
export function signedPost(access: RoleAccess, post: SignedPost): Promise<Answer> {
  const { protocol, hostname, port } = access.endpoint
  // An IPv6 address.
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  const { body, signal, silenceMs, onSent } = post
  const request = protocol === 'https:' ? httpsRequest : httpRequest
  const sent = request({
    ...VERIFIED_TLS,
    ...{ method: 'POST', host, port, headers: signedHeaders(access, post), signal },
    // Without an agent: the next request is minutes away, and a connection does not survive a freeze.
    agent: false,
  })
  sent.setTimeout(silenceMs, () => sent.destroy(new Error(`${access.service} was silent for ${silenceMs} ms`)))
  return exchange(sent, body, onSent)
}
