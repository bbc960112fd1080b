/** The Secrets Manager stand-in, asked by the real SDK. */
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretsExtensionStandIn } from '../../../local/secrets-manager/extension-stand-in.ts'
import { SecretsManagerStandIn } from '../../../local/secrets-manager/stand-in.ts'

const sessionToken = 'local-session-token'
let standIn: SecretsManagerStandIn
let sdk: SecretsManager

beforeAll(async () => {
  standIn = await SecretsManagerStandIn.start()
  sdk = new SecretsManager({
    endpoint: standIn.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'local', sessionToken },
    maxAttempts: 1,
  })
})

afterAll(async () => {
  sdk.destroy()
  await standIn.stop()
})

let secretCount = 0
function createSecret(value?: string | Buffer): { name: string; arn: string } {
  secretCount += 1
  const name = `app/db-${secretCount}`
  return { name, arn: standIn.secrets.create(name, value) }
}

describe('GetSecretValue', () => {
  test('an ARN ends in six random characters', () => {
    const { name, arn } = createSecret('x')
    expect(arn).toMatch(new RegExp(`^arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-[A-Za-z0-9]{6}$`))
  })

  test.each([
    ['name', ({ name }: { name: string }) => name],
    ['ARN', ({ arn }: { arn: string }) => arn],
    ['partial ARN', ({ arn }: { arn: string }) => arn.slice(0, -7)],
  ])('finds a secret by %s', async (_, secretId) => {
    const secret = createSecret('the value')
    const found = await sdk.getSecretValue({ SecretId: secretId({ ...secret }) })
    expect(found).toMatchObject({
      ARN: secret.arn,
      Name: secret.name,
      SecretString: 'the value',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: expect.any(Date),
    })
    expect(found).not.toHaveProperty('SecretBinary')
  })

  test('hands out SecretBinary as bytes', async () => {
    const { name } = createSecret(Buffer.from([0, 255, 10]))
    const { SecretBinary, SecretString } = await sdk.getSecretValue({ SecretId: name })
    expect(Buffer.from(SecretBinary ?? [])).toEqual(Buffer.from([0, 255, 10]))
    expect(SecretString).toBeUndefined()
  })

  test.each([
    ['a VersionId', (ids: string[]) => ({ VersionId: ids[0] }), 'one'],
    ['AWSPREVIOUS', () => ({ VersionStage: 'AWSPREVIOUS' }), 'one'],
    ['AWSCURRENT', () => ({ VersionStage: 'AWSCURRENT' }), 'two'],
    ['AWSPENDING', () => ({ VersionStage: 'AWSPENDING' }), 'three'],
    [
      'VersionId and VersionStage that agree',
      (ids: string[]) => ({ VersionId: ids[1], VersionStage: 'AWSCURRENT' }),
      'two',
    ],
  ])('selects a version by %s', async (_, selector, expected) => {
    const { name } = createSecret()
    const ids = [
      standIn.secrets.put(name, 'one'),
      standIn.secrets.put(name, 'two'),
      standIn.secrets.put(name, 'three', { stages: ['AWSPENDING'] }),
    ]
    const { SecretString } = await sdk.getSecretValue({ SecretId: name, ...selector(ids) })
    expect(SecretString).toBe(expected)
  })
})

describe('errors', () => {
  const missingId = 'a'.repeat(32)
  test.each([
    [
      'an unknown secret',
      () => ({ SecretId: 'nobody' }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret.",
    ],
    [
      'a secret without a value',
      () => ({ SecretId: createSecret().name }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ],
    [
      'no version in AWSPENDING',
      () => ({ SecretId: createSecret('x').name, VersionStage: 'AWSPENDING' }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    ],
    [
      'an unknown VersionId',
      () => ({ SecretId: createSecret('x').name, VersionId: missingId }),
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for VersionId: ${missingId}`,
    ],
    [
      'an empty SecretId',
      () => ({ SecretId: '' }),
      'ValidationException',
      "1 validation error detected: Value '' at 'secretId' failed to satisfy constraint: Member must not be empty",
    ],
    [
      'a secret marked for deletion',
      () => {
        const { name } = createSecret('x')
        standIn.secrets.delete(name)
        return { SecretId: name }
      },
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    ],
    [
      'a VersionStage that the VersionId does not have',
      () => {
        const { name } = createSecret()
        const first = standIn.secrets.put(name, 'one')
        standIn.secrets.put(name, 'two')
        return { SecretId: name, VersionId: first, VersionStage: 'AWSCURRENT' }
      },
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    ],
  ])('%s is answered as AWS words it', async (_, request, name, message) => {
    await expect(sdk.getSecretValue(request())).rejects.toMatchObject({ name, message })
  })

  test('a principal that is not allowed gets AccessDeniedException, and the secret again when permitted', async () => {
    const { name } = createSecret('x')
    standIn.secrets.deny(name)
    await expect(sdk.getSecretValue({ SecretId: name })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`secretsmanager:GetSecretValue on resource: ${name}`),
    })
    standIn.secrets.deny(name, false)
    await expect(sdk.getSecretValue({ SecretId: name })).resolves.toMatchObject({ SecretString: 'x' })
  })

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
  ])('a request with %s is refused', async (_, headers, __type) => {
    const { name } = createSecret('x')
    const response = await fetch(standIn.url, {
      method: 'POST',
      headers: { 'X-Amz-Target': 'secretsmanager.GetSecretValue', ...headers },
      body: JSON.stringify({ SecretId: name }),
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ __type })
  })
})

describe('versions and staging labels', () => {
  test('PutSecretValue moves AWSCURRENT and leaves AWSPREVIOUS behind', async () => {
    const { VersionId: first, Name } = await sdk.createSecret({ Name: 'put/moves', SecretString: 'one' })
    const { VersionId: second } = await sdk.putSecretValue({ SecretId: Name, SecretString: 'two' })
    const { VersionId: third } = await sdk.putSecretValue({ SecretId: Name, SecretString: 'three' })
    const { VersionIdsToStages } = await sdk.describeSecret({ SecretId: Name })
    expect(VersionIdsToStages).toEqual({ [`${second}`]: ['AWSPREVIOUS'], [`${third}`]: ['AWSCURRENT'] })
    await expect(sdk.getSecretValue({ SecretId: Name, VersionId: first })).resolves.toMatchObject({ VersionStages: [] })
  })

  test('the first version gets AWSCURRENT whatever VersionStages says', async () => {
    const { name } = createSecret()
    const { VersionStages } = await sdk.putSecretValue({
      SecretId: name,
      SecretString: 'x',
      VersionStages: ['AWSPENDING'],
    })
    expect(VersionStages).toEqual(['AWSCURRENT', 'AWSPENDING'])
  })

  test('PutSecretValue with the same ClientRequestToken is done once, and refused for another value', async () => {
    const { name } = createSecret('old')
    const ClientRequestToken = 'b'.repeat(32)
    const put = (SecretString: string) => sdk.putSecretValue({ SecretId: name, SecretString, ClientRequestToken })
    expect((await put('new')).VersionId).toBe(ClientRequestToken)
    expect((await put('new')).VersionId).toBe(ClientRequestToken)
    await expect(put('newer')).rejects.toMatchObject({ name: 'ResourceExistsException' })
  })

  test('CreateSecret refuses a name that is taken', async () => {
    const { name } = createSecret('x')
    await expect(sdk.createSecret({ Name: name })).rejects.toMatchObject({
      name: 'ResourceExistsException',
      message: `The operation failed because the secret ${name} already exists.`,
    })
  })

  test('PutSecretValue refuses both kinds of value, and none', async () => {
    const { name } = createSecret('x')
    const both = { SecretString: 'x', SecretBinary: new Uint8Array([1]) }
    await expect(sdk.putSecretValue({ SecretId: name, ...both })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    await expect(sdk.putSecretValue({ SecretId: name })).rejects.toMatchObject({ name: 'InvalidRequestException' })
  })

  test('UpdateSecretVersionStage promotes AWSPENDING as a rotation does', async () => {
    const { name } = createSecret()
    const current = standIn.secrets.put(name, 'old')
    const pending = standIn.secrets.put(name, 'new', { stages: ['AWSPENDING'] })
    const promotion = { SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: pending }
    await expect(sdk.updateSecretVersionStage(promotion)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(`currently attached to version ${current}`),
    })
    await sdk.updateSecretVersionStage({ ...promotion, RemoveFromVersionId: current })
    const { VersionIdsToStages } = await sdk.describeSecret({ SecretId: name })
    expect(VersionIdsToStages).toEqual({ [current]: ['AWSPREVIOUS'], [pending]: ['AWSPENDING', 'AWSCURRENT'] })
  })
})

describe('controls', () => {
  test('failNext fails that many requests', async () => {
    const { name } = createSecret('x')
    standIn.failNext(2, 'ThrottlingException')
    const get = () => sdk.getSecretValue({ SecretId: name })
    await expect(get()).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' })
    await expect(get()).rejects.toMatchObject({ name: 'ThrottlingException' })
    await expect(get()).resolves.toMatchObject({ SecretString: 'x' })
  })

  test.each(['InternalServiceError', 'DecryptionFailure'] as const)(
    'failWith fails every request: %s',
    async (type) => {
      const { name } = createSecret('x')
      const get = () => sdk.getSecretValue({ SecretId: name })
      standIn.failWith(type)
      await expect(get()).rejects.toMatchObject({ name: type })
      await expect(get()).rejects.toMatchObject({ name: type })
      standIn.failWith(undefined)
      await expect(get()).resolves.toMatchObject({ SecretString: 'x' })
    },
  )

  test('a connection reset reaches the SDK as ECONNRESET', async () => {
    standIn.failNext(1, 'connection reset')
    await expect(sdk.getSecretValue({ SecretId: 'any' })).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('delayMs holds an answer back', async () => {
    const { name } = createSecret('x')
    standIn.delayMs = 120
    const startedAt = performance.now()
    await sdk.getSecretValue({ SecretId: name })
    standIn.delayMs = 0
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(119)
  })

  test('requests are logged without what they hold', async () => {
    const { name } = createSecret('x')
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

describe('Parameters and Secrets extension', () => {
  async function get(extension: SecretsExtensionStandIn, query: Record<string, string>, token = sessionToken) {
    const url = `http://127.0.0.1:${extension.port}/secretsmanager/get?${new URLSearchParams(query)}`
    const response = await fetch(url, { headers: { 'X-Aws-Parameters-Secrets-Token': token } })
    return { status: response.status, body: await response.text() }
  }

  test('hands out a secret and keeps it, by staging label', async () => {
    await using extension = await SecretsExtensionStandIn.start({ secretsManagerUrl: standIn.url, sessionToken })
    const { name } = createSecret('one')
    const first = await get(extension, { secretId: name })
    expect(JSON.parse(first.body)).toMatchObject({ Name: name, SecretString: 'one', SecretBinary: null })
    standIn.secrets.put(name, 'two')
    expect(JSON.parse((await get(extension, { secretId: name })).body)).toMatchObject({ SecretString: 'one' })
    expect(extension.cacheHits).toBe(1)
    const previous = await get(extension, { secretId: name, versionStage: 'AWSPREVIOUS' })
    expect(JSON.parse(previous.body)).toMatchObject({ SecretString: 'one', VersionStages: ['AWSPREVIOUS'] })
  })

  test('reads again after its time to live', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken,
      ttlSeconds: 0,
    })
    const { name } = createSecret('one')
    await get(extension, { secretId: name })
    standIn.secrets.put(name, 'two')
    expect(JSON.parse((await get(extension, { secretId: name })).body)).toMatchObject({ SecretString: 'two' })
  })

  test('refuses a token that is not AWS_SESSION_TOKEN', async () => {
    await using extension = await SecretsExtensionStandIn.start({ secretsManagerUrl: standIn.url, sessionToken })
    expect(await get(extension, { secretId: createSecret('x').name }, 'wrong')).toMatchObject({ status: 401 })
  })

  test('hands on the answer of Secrets Manager for an unknown secret', async () => {
    await using extension = await SecretsExtensionStandIn.start({ secretsManagerUrl: standIn.url, sessionToken })
    const { status, body } = await get(extension, { secretId: 'nobody' })
    expect(status).toBe(400)
    expect(body).toContain("ResourceNotFoundException: Secrets Manager can't find the specified secret.")
  })

  test('answers 400 while not ready, 500 while broken, and nothing while absent', async () => {
    await using extension = await SecretsExtensionStandIn.start({ secretsManagerUrl: standIn.url, sessionToken })
    const { name } = createSecret('x')
    extension.state = 'notReady'
    expect(await get(extension, { secretId: name })).toEqual({
      status: 400,
      body: 'not ready to serve traffic, please wait',
    })
    extension.state = 'broken'
    expect(await get(extension, { secretId: name })).toMatchObject({ status: 500 })
    extension.state = 'absent'
    await expect(get(extension, { secretId: name })).rejects.toThrow('fetch failed')
    extension.state = 'ready'
    expect(await get(extension, { secretId: name })).toMatchObject({ status: 200 })
  })
})
