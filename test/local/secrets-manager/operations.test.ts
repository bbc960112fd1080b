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

describe('GetSecretValue', () => {
  const missingId = 'a'.repeat(32)
  test('answers with SecretBinary as bytes', async () => {
    const { name } = secretsManager.createSecret(Buffer.from([0, 255, 10]))
    const { SecretBinary, SecretString } = await sdk.getSecretValue({ SecretId: name })
    expect(Buffer.from(SecretBinary ?? [])).toEqual(Buffer.from([0, 255, 10]))
    expect(SecretString).toBeUndefined()
  })

  test.each([
    [
      'an unknown secret',
      () => ({ SecretId: 'nobody' }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret.",
    ],
    [
      'a secret without a value',
      () => ({ SecretId: secretsManager.createSecret().name }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ],
    [
      'no version in AWSPENDING',
      () => ({ SecretId: secretsManager.createSecret('x').name, VersionStage: 'AWSPENDING' }),
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSPENDING",
    ],
    [
      'an unknown VersionId',
      () => ({ SecretId: secretsManager.createSecret('x').name, VersionId: missingId }),
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
        const { name } = secretsManager.createSecret('x')
        standIn.secrets.delete(name)
        return { SecretId: name }
      },
      'InvalidRequestException',
      "You can't perform this operation on the secret because it was marked for deletion.",
    ],
    [
      'a VersionStage that the VersionId does not have',
      () => {
        const { name } = secretsManager.createSecret()
        const first = standIn.secrets.put(name, 'one')
        standIn.secrets.put(name, 'two')
        return { SecretId: name, VersionId: first, VersionStage: 'AWSCURRENT' }
      },
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    ],
  ])('answers %s as AWS words it', async (_, request, name, message) => {
    await expect(sdk.getSecretValue(request())).rejects.toMatchObject({ name, message })
  })

  test('answers AccessDeniedException while no principal is allowed, and the secret afterwards', async () => {
    const { name } = secretsManager.createSecret('x')
    standIn.secrets.deny(name)
    await expect(sdk.getSecretValue({ SecretId: name })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(`secretsmanager:GetSecretValue on resource: ${name}`),
    })
    standIn.secrets.deny(name, false)
    await expect(sdk.getSecretValue({ SecretId: name })).resolves.toMatchObject({ SecretString: 'x' })
  })
})

describe('PutSecretValue', () => {
  test('refuses SecretString and SecretBinary together, and neither', async () => {
    const { name } = secretsManager.createSecret('x')
    const both = { SecretString: 'x', SecretBinary: new Uint8Array([1]) }
    await expect(sdk.putSecretValue({ SecretId: name, ...both })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    await expect(sdk.putSecretValue({ SecretId: name })).rejects.toMatchObject({ name: 'InvalidRequestException' })
  })
})

test('CreateSecret refuses a name that exists', async () => {
  const { name } = secretsManager.createSecret('x')
  await expect(sdk.createSecret({ Name: name })).rejects.toMatchObject({
    name: 'ResourceExistsException',
    message: `The operation failed because the secret ${name} already exists.`,
  })
})

test('UpdateSecretVersionStage promotes AWSPENDING as a rotation does', async () => {
  const { name } = secretsManager.createSecret()
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
