import { expect, test } from 'vitest'
import { amzDate, authorization } from '../../../../src/secret/reader/signature.ts'

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html, the published test suite */
const SIGNER = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
}
const SCOPE = 'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request'

test('post-vanilla of AWS’ test suite is signed as there', () => {
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': amzDate(new Date(Date.UTC(2015, 7, 30, 12, 36))) }
  expect(authorization(SIGNER, headers, '')).toBe(
    `${SCOPE}, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b`,
  )
})

test('post-x-www-form-urlencoded of AWS’ test suite, with a body, is signed as there', () => {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    host: 'example.amazonaws.com',
    'x-amz-date': '20150830T123600Z',
  }
  expect(authorization(SIGNER, headers, 'Param1=value1')).toBe(
    `${SCOPE}, SignedHeaders=content-type;host;x-amz-date, Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a`,
  )
})
