/** The errors that the real SDK gives, each made to happen, and the hint that each has. */
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server } from 'node:net'
import getPort from 'get-port'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import type { SecretsManagerErrorType } from '../../../local/secrets-manager/errors.ts'
import { SecretsManagerStandIn } from '../../../local/secrets-manager/stand-in.ts'
import { secretUnavailable } from '../../../src/secret/error.ts'

const SECRET = 'app/db'
let standIn: SecretsManagerStandIn

beforeAll(async () => {
  standIn = await SecretsManagerStandIn.start()
  standIn.secrets.create(SECRET, 'text')
})

afterEach(() => {
  vi.unstubAllEnvs()
  standIn.failWith(undefined)
})

afterAll(async () => {
  await standIn?.stop()
})

const GOOD = {
  ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'local' },
  ...{ AWS_SESSION_TOKEN: 'token', AWS_EC2_METADATA_DISABLED: 'true', HOME: '/nonexistent' },
}

/** What reading the secret fails with, by a new client of the SDK in this environment. */
async function failure(variables: Readonly<Record<string, string | undefined>>, timeoutMs = 20_000) {
  const environment = { ...GOOD, AWS_ENDPOINT_URL_SECRETS_MANAGER: standIn.url, ...variables }
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  vi.resetModules()
  const { sdkReader } = await import('../../../src/secret/reader/readers.ts')
  const request = { secretId: SECRET, versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(timeoutMs) } as const
  const error = await sdkReader(request).then(
    () => expect.fail('the secret was read'),
    (thrown: unknown) => thrown,
  )
  return secretUnavailable(SECRET, error)
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return address === null || typeof address === 'string' ? expect.fail('no TCP port') : address.port
}

test.each<[SecretsManagerErrorType, RegExp]>([
  ['AccessDeniedException', /^Allow secretsmanager:GetSecretValue .* kms:Decrypt/],
  ['DecryptionFailure', /^Allow kms:Decrypt/],
  ['ExpiredTokenException', /have expired/],
  ['InternalServiceError', /throttles or fails/],
  ['InvalidParameterException', /name or a complete ARN/],
  ['InvalidRequestException', /scheduled for deletion/],
  ['InvalidSignatureException', /is the clock right/],
  ['ResourceNotFoundException', /in this region and account/],
  ['ThrottlingException', /throttles/],
  ['UnknownOperationException', /Is AWS_ENDPOINT_URL right\?$/],
  ['UnrecognizedClientException', /AWS does not accept the credentials/],
  ['ValidationException', /name or a complete ARN/],
])('Secrets Manager’s %s', async (type, hint) => {
  standIn.failWith(type)
  const error = await failure({})
  expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', hint: expect.stringMatching(hint) })
  expect(error.message).toContain(type)
})

const NETWORK = /^Can the function reach Secrets Manager\?/
const NO_KEYS = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined }

describe('without an answer of Secrets Manager:', () => {
  test.each<[string, () => Promise<Readonly<Record<string, string | undefined>>>, RegExp, RegExp]>([
    ['no region', async () => ({ AWS_REGION: undefined }), /Region is missing/, /^Set AWS_REGION/],
    ['a region that is none', async () => ({ AWS_REGION: 'us east' }), /Region not accepted/, /^Set AWS_REGION/],
    ['no credentials', async () => NO_KEYS, /CredentialsProviderError/, /^No AWS credentials/],
    ['a profile that is none', async () => ({ ...NO_KEYS, AWS_PROFILE: 'none' }), /Credentials/, /^No AWS credentials/],
    [
      'an endpoint that is no URL',
      async () => ({ AWS_ENDPOINT_URL_SECRETS_MANAGER: 'x' }),
      /URL/,
      /^Correct AWS_ENDPOINT_URL/,
    ],
    [
      'an endpoint whose name is unknown',
      async () => ({ AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://secretsmanager.invalid' }),
      /ENOTFOUND|EAI_AGAIN/,
      /^Is AWS_REGION right\?/,
    ],
    [
      'an endpoint where nothing listens',
      async () => ({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${await getPort()}` }),
      /ECONNREFUSED/,
      NETWORK,
    ],
  ])('%s', async (_, variables, message, hint) => {
    const error = await failure(await variables())
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', hint: expect.stringMatching(hint) })
    expect(error.message).toMatch(message)
  })

  test('a server that is silent', async () => {
    const server = createServer()
    const port = await portOf(server)
    const error = await failure({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}` }, 200)
    server.close()
    expect(error).toMatchObject({
      message: expect.stringContaining('AbortError'),
      hint: expect.stringMatching(NETWORK),
    })
  })

  test('a server that hangs up', async () => {
    const server = createServer((socket) => socket.destroy())
    const port = await portOf(server)
    const error = await failure({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}` })
    server.close()
    expect(error).toMatchObject({ hint: expect.stringMatching(NETWORK) })
  })

  test('a server with a certificate of its own', async () => {
    const authority = await createCertificateAuthority('Proxy CA')
    const { certificate: cert, privateKey: key } = await authority.issue({ hosts: ['127.0.0.1'] })
    const server = createHttpsServer({ cert, key })
    const port = await portOf(server)
    const error = await failure({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `https://127.0.0.1:${port}` })
    server.close()
    expect(error).toMatchObject({ hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
  })

  test('a server that is another one', async () => {
    const server = createServer((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nproxy')),
    )
    const port = await portOf(server)
    const error = await failure({ AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${port}` })
    server.close()
    expect(error).toMatchObject({ hint: expect.stringMatching(/Is AWS_ENDPOINT_URL right\?$/) })
  })
})
