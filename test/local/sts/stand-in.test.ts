import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ROLE_ARN } from '../../../local/sts/issuer.ts'
import { StsStandIn } from '../../../local/sts/stand-in.ts'
import { signedPost } from '../../../src/secret/reader/signed-post.ts'
import { readRoleAccess } from '../../../src/settings/role-access.ts'

const KEY = 'key-of-the-role'
const REQUEST = {
  ...{ Action: 'GetWebIdentityToken', Version: '2011-06-15', 'Audience.member.1': 'orders' },
  ...{ SigningAlgorithm: 'ES384', DurationSeconds: '300' },
}

let sts: StsStandIn

beforeAll(async () => {
  sts = await StsStandIn.start(KEY)
})

afterAll(() => sts?.stop())

beforeEach(() => {
  sts.policy = {}
  sts.isFederationEnabled = true
})

/** Status and body of the answer to a signed request. */
async function ask(changes: Readonly<Record<string, string>> = {}, key = KEY): Promise<string> {
  const access = readRoleAccess(
    {
      ...{ AWS_LAMBDA_FUNCTION_NAME: 'orders', AWS_REGION: 'eu-west-1', AWS_ENDPOINT_URL_STS: sts.url },
      ...{ AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: 'session' },
    },
    undefined,
    'sts',
  )
  if (access === undefined) expect.fail('no access')
  const { statusCode, body } = await signedPost(access, {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: String(new URLSearchParams({ ...REQUEST, ...changes })),
    ...{ signal: AbortSignal.timeout(5000), silenceMs: 5000 },
  })
  return `${statusCode} ${/<Code>(\w+)/.exec(body)?.[1] ?? body}`
}

test('a token has the claims of AWS, and verifies with the key set that is published', async () => {
  expect(await ask()).toMatch(/^200 <GetWebIdentityTokenResponse/)
  const keySet = (await (await fetch(sts.keySetUrl)).json()) as JSONWebKeySet
  const { payload, protectedHeader } = await jwtVerify(String(sts.tokens.at(-1)), createLocalJWKSet(keySet), {
    ...{ issuer: sts.issuer.url, audience: 'orders', subject: ROLE_ARN, algorithms: ['ES384'] },
  })
  expect(Number(payload.exp) - Number(payload.iat)).toBe(300)
  expect(protectedHeader).toMatchObject({ alg: 'ES384', kid: keySet.keys[0]?.kid })
})

test.each([
  [{ Action: 'GetCallerIdentity' }, '400 InvalidAction'],
  [{ DurationSeconds: '59' }, '400 ValidationError'],
  [{ SigningAlgorithm: 'HS256' }, '400 ValidationError'],
])('%o is answered with %s', async (changes, answer) => {
  expect(await ask(changes)).toBe(answer)
})

test('another key is refused', async () => {
  expect(await ask({}, 'another-key')).toBe('403 SignatureDoesNotMatch')
})

test.each([{ audiences: ['other'] }, { mostSeconds: 60 }, { signingAlgorithm: 'RS256' as const }])(
  'the policy %j denies it',
  async (policy) => {
    sts.policy = policy
    expect(await ask()).toBe('403 AccessDenied')
  },
)

test('without an issuer of the account there are no tokens', async () => {
  sts.isFederationEnabled = false
  expect(await ask()).toBe('403 OutboundWebIdentityFederationDisabled')
})
