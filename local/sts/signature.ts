/** Verifies the signature of a request to AWS, and the date in it. */
import type { IncomingHttpHeaders } from 'node:http'
import aws4 from 'aws4'
import { StsError } from './errors.ts'

/** AWS refuses a date that differs by more from its own. */
const LARGEST_DIFFERENCE_MS = 5 * 60_000

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([a-z\d-]+)\/([a-z\d-]+)\/aws4_request, ?SignedHeaders=([a-z\d;-]+), ?Signature=([\da-f]{64})$/

export interface Signed {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The key that the caller must have signed with, and the service. */
export interface ExpectedSigner {
  readonly secretAccessKey: string
  readonly service: string
}

/**
 * @param now milliseconds since 1970, by the clock of AWS
 * @throws StsError
 */
export function verifySignature({ headers, body }: Signed, expected: ExpectedSigner, now: number): void {
  const { authorization, 'x-amz-date': date } = headers
  if (authorization === undefined) throw new StsError('MissingAuthenticationToken')
  const [, accessKeyId, , region, service, names = '', signature] = AUTHORIZATION.exec(authorization) ?? []
  if (accessKeyId === undefined || typeof date !== 'string' || service !== expected.service) {
    throw new StsError('IncompleteSignature')
  }
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
  if (!(Math.abs(at - now) <= LARGEST_DIFFERENCE_MS)) {
    const word = at < now ? 'Signature expired' : 'Signature not yet current'
    throw new StsError('SignatureDoesNotMatch', `${word}: ${date} differs by more than 5 min. from the time of AWS`)
  }
  const signedNames = names.split(';')
  if (!['host', 'x-amz-date'].every((name) => signedNames.includes(name))) throw new StsError('IncompleteSignature')
  const signedHeaders = Object.fromEntries(signedNames.map((name) => [name, String(headers[name])]))
  const { secretAccessKey } = expected
  const request = {
    ...{ method: 'POST', path: '/', service, headers: signedHeaders, body, ...(region !== undefined && { region }) },
    // aws4 would add it; in its code, not in its types.
    extraHeadersToIgnore: { 'content-length': !signedNames.includes('content-length') || null },
  }
  const signed = aws4.sign(request, { accessKeyId, secretAccessKey })
  const own = String(signed.headers?.Authorization ?? signed.headers?.authorization)
  if (!own.endsWith(`Signature=${signature}`)) throw new StsError('SignatureDoesNotMatch')
}
