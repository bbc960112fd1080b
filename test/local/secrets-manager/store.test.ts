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

describe('a secret', () => {
  test('has an ARN that ends in six random characters', () => {
    const { name, arn } = secretsManager.createSecret('x')
    expect(arn).toMatch(new RegExp(`^arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-[A-Za-z0-9]{6}$`))
  })

  test.each([
    ['name', ({ name }: { name: string }) => name],
    ['ARN', ({ arn }: { arn: string }) => arn],
    ['partial ARN', ({ arn }: { arn: string }) => arn.slice(0, -7)],
  ])('is found by its %s', async (_, secretId) => {
    const secret = secretsManager.createSecret('the value')
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
})

describe('a version', () => {
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
  ])('is selected by %s', async (_, selector, expected) => {
    const { name } = secretsManager.createSecret()
    const ids = [
      standIn.secrets.put(name, 'one'),
      standIn.secrets.put(name, 'two'),
      standIn.secrets.put(name, 'three', { stages: ['AWSPENDING'] }),
    ]
    const { SecretString } = await sdk.getSecretValue({ SecretId: name, ...selector(ids) })
    expect(SecretString).toBe(expected)
  })

  test('that is the first gets AWSCURRENT, also with VersionStages [AWSPENDING]', async () => {
    const { name } = secretsManager.createSecret()
    const { VersionStages } = await sdk.putSecretValue({
      SecretId: name,
      SecretString: 'x',
      VersionStages: ['AWSPENDING'],
    })
    expect(VersionStages).toEqual(['AWSCURRENT', 'AWSPENDING'])
  })

  test('that is put gets AWSCURRENT, and the last one gets AWSPREVIOUS', async () => {
    const { VersionId: first, Name } = await sdk.createSecret({ Name: 'put/moves', SecretString: 'one' })
    const { VersionId: second } = await sdk.putSecretValue({ SecretId: Name, SecretString: 'two' })
    const { VersionId: third } = await sdk.putSecretValue({ SecretId: Name, SecretString: 'three' })
    const { VersionIdsToStages } = await sdk.describeSecret({ SecretId: Name })
    expect(VersionIdsToStages).toEqual({ [`${second}`]: ['AWSPREVIOUS'], [`${third}`]: ['AWSCURRENT'] })
    await expect(sdk.getSecretValue({ SecretId: Name, VersionId: first })).resolves.toMatchObject({ VersionStages: [] })
  })

  test('with the ClientRequestToken of an earlier one is put once, and refused with another value', async () => {
    const { name } = secretsManager.createSecret('old')
    const ClientRequestToken = 'b'.repeat(32)
    const put = (SecretString: string) => sdk.putSecretValue({ SecretId: name, SecretString, ClientRequestToken })
    expect((await put('new')).VersionId).toBe(ClientRequestToken)
    expect((await put('new')).VersionId).toBe(ClientRequestToken)
    await expect(put('newer')).rejects.toMatchObject({ name: 'ResourceExistsException' })
  })
})
