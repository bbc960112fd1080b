import type { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SecretsManagerStandIn } from '../../../local/secrets-manager/stand-in.ts'
import { openSecretsManager, type TestSecretsManager } from '../../support/secrets-manager.ts'

let secretsManager: TestSecretsManager
let standIn: SecretsManagerStandIn
let sdk: SecretsManager

beforeAll(async () => {
  secretsManager = await openSecretsManager()
  ;({ standIn, sdk } = secretsManager)
})

afterAll(() => secretsManager[Symbol.asyncDispose]())

describe('a request', () => {
  const authorization = (service: string) =>
    `AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`
  test.each([
    ['no Authorization', {}, 'MissingAuthenticationTokenException'],
    ['a bearer token', { Authorization: 'Bearer x', 'X-Amz-Date': '20260101T000000Z' }, 'IncompleteSignatureException'],
    ['no X-Amz-Date', { Authorization: authorization('secretsmanager') }, 'IncompleteSignatureException'],
    [
      'another service',
      { Authorization: authorization('ssm'), 'X-Amz-Date': '20260101T000000Z' },
      'InvalidSignatureException',
    ],
  ])('with %s is refused', async (_, headers, __type) => {
    const { name } = secretsManager.createSecret('x')
    const response = await fetch(standIn.url, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'secretsmanager.GetSecretValue', ...headers },
      body: JSON.stringify({ SecretId: name }),
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ __type })
  })
})

describe('the stand-in', () => {
  test('fails two requests after failNext(2)', async () => {
    const { name } = secretsManager.createSecret('x')
    standIn.failNext(2, 'ThrottlingException')
    const get = () => sdk.getSecretValue({ SecretId: name })
    await expect(get()).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' })
    await expect(get()).rejects.toMatchObject({ name: 'ThrottlingException' })
    await expect(get()).resolves.toMatchObject({ SecretString: 'x' })
  })

  test.each(['InternalServiceError', 'DecryptionFailure'] as const)(
    'fails every request after failWith(%s)',
    async (type) => {
      const { name } = secretsManager.createSecret('x')
      const get = () => sdk.getSecretValue({ SecretId: name })
      standIn.failWith(type)
      await expect(get()).rejects.toMatchObject({ name: type })
      await expect(get()).rejects.toMatchObject({ name: type })
      standIn.failWith(undefined)
      await expect(get()).resolves.toMatchObject({ SecretString: 'x' })
    },
  )

  test('resets a connection, which reaches the SDK as ECONNRESET', async () => {
    standIn.failNext(1, 'connection reset')
    await expect(sdk.getSecretValue({ SecretId: 'any' })).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('delays an answer by a delayMs of 120', async () => {
    const { name } = secretsManager.createSecret('x')
    standIn.delayMs = 120
    const startedAt = performance.now()
    await sdk.getSecretValue({ SecretId: name })
    standIn.delayMs = 0
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119)
  })

  test('logs requests without the secrets in them', async () => {
    const { name } = secretsManager.createSecret('x')
    standIn.requests.length = 0
    await sdk.getSecretValue({ SecretId: name, VersionStage: 'AWSCURRENT' })
    await sdk.putSecretValue({ SecretId: name, SecretString: 'p@ss/w#rd' })
    expect(standIn.requests).toEqual([
      { operation: 'GetSecretValue', SecretId: name, VersionStage: 'AWSCURRENT', at: expect.any(Number) },
      { operation: 'PutSecretValue', SecretId: name, VersionStage: undefined, at: expect.any(Number) },
    ])
    expect(JSON.stringify(standIn.requests)).not.toContain('p@ss/w#rd')
  })
})
