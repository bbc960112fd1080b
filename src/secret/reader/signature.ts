/**
 * Signs a request to a service of AWS: Signature Version 4, for a header or for the query of a URL.
 *
 * Written here because of what the packages for it cost a cold start: aws4 2.8 ms of processor time and 2.4 kB of the
 * layer, @smithy/signature-v4 4.4 ms and 4.8 kB (bench/README.md). The test signs random requests with both.
 */
import { createHash, createHmac } from 'node:crypto'

/** The keys, and the service and region that the signature is for. */
export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
}

/** The parts of a request that are signed. */
export interface SignableRequest {
  readonly method: 'GET' | 'POST'
  /** Percent-encoded; `/` at services without paths. */
  readonly path: string
  /** Names and values before they are percent-encoded. */
  readonly query: Readonly<Record<string, string>>
  /** Those to sign, by names in lower case; `host` is one of them. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** By RFC 3986: with the five characters that JavaScript does not encode. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Sorted by name: in ASCII, where JavaScript's order is that of the bytes. */
function sorted(pairs: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function canonicalRequest({ method, path, query, headers, body }: SignableRequest): string {
  const encoded = Object.entries(query).map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
  const parameters = sorted(encoded).map((pair) => pair.join('='))
  const fields = sorted(Object.entries(headers))
  const lines = fields.map(([name, value]) => `${name}:${value.trim().replace(/\s+/g, ' ')}\n`)
  const names = fields.map(([name]) => name)
  return [method, path, parameters.join('&'), lines.join(''), names.join(';'), sha256(body)].join('\n')
}

function scope({ region, service }: Signer, date: string): readonly string[] {
  return [date.slice(0, 8), region, service, 'aws4_request']
}

/** ISO 8601's basic form, in UTC: `20150830T123600Z`. */
export function amzDate(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '')}Z`
}

/** The name of the key: `X-Amz-Credential` of a signed query. */
export function credential(signer: Signer, date: string): string {
  return [signer.accessKeyId, ...scope(signer, date)].join('/')
}

/**
 * The signature itself, in hexadecimal: `X-Amz-Signature` of a signed query, whose other `X-Amz-` parameters are in
 * `query`.
 *
 * @param date as `amzDate()` writes it
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signature(signer: Signer, date: string, request: SignableRequest): string {
  const parts = scope(signer, date)
  const key = parts.reduce<string | Buffer>(hmac, `AWS4${signer.secretAccessKey}`)
  const text = [ALGORITHM, date, parts.join('/'), sha256(canonicalRequest(request))].join('\n')
  return hmac(key, text).toString('hex')
}

/** The `authorization` header of a request whose `x-amz-date` is `date`. */
export function authorization(signer: Signer, date: string, request: SignableRequest): string {
  const signedHeaders = Object.keys(request.headers).sort().join(';')
  return `${ALGORITHM} Credential=${credential(signer, date)}, SignedHeaders=${signedHeaders}, Signature=${signature(signer, date, request)}`
}
