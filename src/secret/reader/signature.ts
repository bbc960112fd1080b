/** Signs a request as AWS wants it: Signature Version 4, for a POST to `/` without a query. */
import { createHash, createHmac } from 'node:crypto'

/** Whose keys, for which service and where. */
export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** ISO 8601's basic form, in UTC: `20150830T123600Z`. */
export function amzDate(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, '')
}

/**
 * The `authorization` header.
 *
 * @param headers all those to sign, in lower case and sorted by name; `x-amz-date` is one of them
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function authorization(
  signer: Signer,
  headers: Readonly<Record<string, string>> & { readonly 'x-amz-date': string },
  body: string,
): string {
  const { accessKeyId, secretAccessKey, region, service } = signer
  const date = headers['x-amz-date']
  const signedHeaders = Object.keys(headers).join(';')
  const canonicalHeaders = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
  const canonicalRequest = `POST\n/\n\n${canonicalHeaders.join('')}\n${signedHeaders}\n${sha256(body)}`
  const scope = [date.slice(0, 8), region, service, 'aws4_request']
  const signingKey = scope.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(signingKey, [ALGORITHM, date, scope.join('/'), sha256(canonicalRequest)].join('\n'))
  return `${ALGORITHM} Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${signedHeaders}, Signature=${signature.toString('hex')}`
}
