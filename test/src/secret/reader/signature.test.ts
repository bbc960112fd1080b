/** Our signature beside AWS' test suite, and beside the two packages that sign for others. */
import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import aws4 from 'aws4'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  amzDate,
  authorization,
  credential,
  type SignableRequest,
  type Signer,
  signature,
} from '../../../../src/secret/reader/signature.ts'

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html, the published test suite */
const SIGNER = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
}
const DATE = '20150830T123600Z'
const HEADERS = { host: 'example.amazonaws.com', 'x-amz-date': DATE }

describe('as AWS’ test suite has it is signed', () => {
  const post = { method: 'POST', path: '/', query: {}, headers: HEADERS, body: '' } as const
  const get = { ...post, method: 'GET' } as const
  const form = 'application/x-www-form-urlencoded'
  test.each<[string, SignableRequest, string]>([
    ['get-vanilla', get, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      { ...get, query: { Param2: 'value2', Param1: 'value1' } },
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    ['post-vanilla', post, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'post-x-www-form-urlencoded',
      { ...post, headers: { 'content-type': form, ...HEADERS }, body: 'Param1=value1' },
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', (_, request, expected) => {
    expect(signature(SIGNER, DATE, request)).toBe(expected)
  })

  test('the authorization header of post-vanilla', () => {
    expect(authorization(SIGNER, amzDate(new Date(Date.UTC(2015, 7, 30, 12, 36))), post)).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
    )
  })
})

/** Node's SHA-256 as the SDK's signer takes it; keys are text or bytes. */
class Sha256 {
  readonly #hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    if (secret === undefined) this.#hash = createHash('sha256')
    else if (typeof secret === 'string' || secret instanceof Uint8Array) this.#hash = createHmac('sha256', secret)
    else expect.fail('another kind of key')
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    expect.fail('is used once')
  }
}

/** The SDK's signer. */
function smithy({ accessKeyId, secretAccessKey, region, service }: Signer, sessionToken: string): SignatureV4 {
  const credentials = { accessKeyId, secretAccessKey, sessionToken }
  return new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false })
}

/** Unicode, and characters that have a meaning in URLs, headers and JSON. */
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const token = fc.base64String({ minLength: 4, maxLength: 400 })
const signers: fc.Arbitrary<Signer> = fc.record({
  accessKeyId: fc.stringMatching(/^A[KS]IA[A-Z2-7]{16}$/),
  secretAccessKey: fc.stringMatching(/^[A-Za-z0-9+/]{40}$/),
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'ap-southeast-7', 'us-gov-west-1', 'cn-north-1', 'mx-central-1'),
  service: fc.constantFrom('secretsmanager', 'sts', 'rds-db', 'dsql', 'monitoring'),
})
const dates = fc.date({ min: new Date('2020-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
const host = fc.domain()

describe('is signed as aws4 and @smithy/signature-v4 do it:', () => {
  test('a POST with a secret id of any characters, a session token and any region', async () => {
    const cases = fc.record({ signer: signers, secretId: text, sessionToken: token, at: dates, host, extra: text })
    await fc.assert(
      fc.asyncProperty(cases, async ({ signer, secretId, sessionToken, at, host, extra }) => {
        const body = JSON.stringify({ SecretId: secretId, VersionStage: 'AWSCURRENT' })
        const headers = {
          host,
          'content-type': 'application/x-amz-json-1.1',
          'x-amz-target': `${signer.service}.GetSecretValue`,
          'x-amz-meta': extra.replace(/[^ -~]/g, '  '),
          'x-amz-date': amzDate(at),
          'x-amz-security-token': sessionToken,
          // aws4 adds it otherwise.
          'content-length': String(Buffer.byteLength(body)),
        }
        const request = { method: 'POST', path: '/', headers, body } as const
        const ours = authorization(signer, amzDate(at), { ...request, query: {} })

        const { service, region } = signer
        const theirs = aws4.sign({ ...request, service, region }, { ...signer, sessionToken })
        expect(theirs.headers?.Authorization).toBe(ours)

        const sdk = smithy(signer, sessionToken)
        const message = { ...request, protocol: 'https:', hostname: host }
        expect((await sdk.sign(message, { signingDate: at })).headers.authorization).toBe(ours)
      }),
    )
  })

  test('a URL whose query holds the signature, as a token to log in with', async () => {
    const cases = fc.record({ signer: signers, user: text, sessionToken: token, at: dates, host, expires: fc.nat(900) })
    await fc.assert(
      fc.asyncProperty(cases, async ({ signer, user, sessionToken, at, host, expires }) => {
        const date = amzDate(at)
        const own = { Action: 'connect', DBUser: user, 'a-b': '*', a: "(!)'~" }
        const query = {
          ...own,
          'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
          'X-Amz-Credential': credential(signer, date),
          'X-Amz-Date': date,
          'X-Amz-Expires': String(expires),
          'X-Amz-Security-Token': sessionToken,
          'X-Amz-SignedHeaders': 'host',
        }
        const request = { method: 'GET', path: '/', headers: { host }, body: '' } as const
        const ours = signature(signer, date, { ...request, query })

        const { service, region } = signer
        const path = `/?${new URLSearchParams({ ...own, 'X-Amz-Date': date, 'X-Amz-Expires': String(expires) })}`
        const theirs = aws4.sign(
          { method: 'GET', path, headers: { host }, signQuery: true, service, region },
          { ...signer, sessionToken },
        )
        expect(new URLSearchParams(theirs.path?.slice(2)).get('X-Amz-Signature')).toBe(ours)

        const message = { ...request, protocol: 'https:', hostname: host, query: own }
        const presigned = await smithy(signer, sessionToken).presign(message, { signingDate: at, expiresIn: expires })
        expect(presigned.query?.['X-Amz-Signature']).toBe(ours)
      }),
    )
  })
})
