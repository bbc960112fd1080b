import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { readRoleAccess } from '../../../src/settings/role-access.ts'

const FUNCTION = {
  AWS_LAMBDA_FUNCTION_NAME: 'hello',
  AWS_REGION: 'ap-southeast-1',
  AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'key-of-the-role',
  AWS_SESSION_TOKEN: 'token-of-the-role',
}

test.each([
  [{}, 'https://secretsmanager.ap-southeast-1.amazonaws.com/'],
  [{ AWS_REGION: 'us-gov-west-1' }, 'https://secretsmanager.us-gov-west-1.amazonaws.com/'],
  [{ AWS_ENDPOINT_URL: 'http://127.0.0.1:4566' }, 'http://127.0.0.1:4566/'],
  [
    { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ENDPOINT_URL_SECRETS_MANAGER: 'https://vpce-1.example.com/' },
    'https://vpce-1.example.com/',
  ],
])('with %o the endpoint is %s', (changes, endpoint) => {
  expect(readRoleAccess({ ...FUNCTION, ...changes })?.endpoint.href).toBe(endpoint)
})

test.each([
  ['app/db', 'ap-southeast-1'],
  ['arn:aws:secretsmanager:ap-southeast-1:111111111111:secret:app/db-AbCdEf', 'ap-southeast-1'],
  ['arn:aws:secretsmanager:eu-west-1:222222222222:secret:app/db-AbCdEf', 'eu-west-1'],
  ['arn:aws-us-gov:secretsmanager:us-gov-west-1:222222222222:secret:app/db', 'us-gov-west-1'],
  ['arn:aws:ssm:eu-west-1:222222222222:parameter/app/db', 'ap-southeast-1'],
  ['arn:aws:secretsmanager:evil.example/:222222222222:secret:app/db', 'ap-southeast-1'],
  ['arn:aws-cn:secretsmanager:cn-north-1:222222222222:secret:app/db', undefined],
])('for secret %s the region is %s', (secretId, region) => {
  const access = readRoleAccess(FUNCTION, secretId)
  expect([access?.region, access?.endpoint.host]).toEqual(
    region === undefined ? [undefined, undefined] : [region, `secretsmanager.${region}.amazonaws.com`],
  )
})

test.each([
  { AWS_LAMBDA_FUNCTION_NAME: undefined },
  { AWS_REGION: undefined },
  { AWS_ACCESS_KEY_ID: undefined },
  { AWS_SECRET_ACCESS_KEY: undefined },
  { AWS_REGION: 'cn-north-1' },
  { AWS_REGION: 'us-iso-east-1' },
  { AWS_REGION: 'us-isob-east-1' },
  { AWS_REGION: 'eusc-de-east-1' },
  { AWS_REGION: 'eu-isoe-west-1' },
  { AWS_REGION: 'moon' },
  { AWS_ENDPOINT_URL: 'not an address' },
  { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566/prefix' },
  { AWS_ENDPOINT_URL: 'http://user@127.0.0.1' },
  { AWS_ENDPOINT_URL: 'ftp://127.0.0.1' },
  { AWS_PROFILE: 'work' },
  { AWS_CONFIG_FILE: '/tmp/config' },
  { AWS_USE_FIPS_ENDPOINT: 'true' },
  { AWS_USE_DUALSTACK_ENDPOINT: 'true' },
  { AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
  { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1:9001/credentials' },
])('%o is left to the SDK', (changes) => {
  expect(readRoleAccess({ ...FUNCTION, ...changes })).toBeUndefined()
})

test('keys of a user, without a session token, are taken', () => {
  expect(readRoleAccess({ ...FUNCTION, AWS_SESSION_TOKEN: undefined })).toMatchObject({ sessionToken: undefined })
})

test('printing it shows neither key nor token', () => {
  const access = readRoleAccess(FUNCTION)
  expect(inspect(access, { depth: null }) + JSON.stringify(access)).not.toMatch(/of-the-role/)
})
