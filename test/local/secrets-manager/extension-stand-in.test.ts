import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretsExtensionStandIn } from '../../../local/secrets-manager/extension-stand-in.ts'
import type { SecretsManagerStandIn } from '../../../local/secrets-manager/stand-in.ts'
import { openSecretsManager, SESSION_TOKEN, type TestSecretsManager } from '../../support/secrets-manager.ts'

let secretsManager: TestSecretsManager
let standIn: SecretsManagerStandIn

beforeAll(async () => {
  secretsManager = await openSecretsManager()
  ;({ standIn } = secretsManager)
})

afterAll(() => secretsManager[Symbol.asyncDispose]())

describe('the Parameters and Secrets extension', () => {
  async function get(extension: SecretsExtensionStandIn, query: Record<string, string>, token = SESSION_TOKEN) {
    const url = `http://127.0.0.1:${extension.port}/secretsmanager/get?${new URLSearchParams(query)}`
    const response = await fetch(url, { headers: { 'X-Aws-Parameters-Secrets-Token': token } })
    return { status: response.status, body: await response.text() }
  }

  test('answers with a secret, and caches it for each staging label', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken: SESSION_TOKEN,
    })
    const { name } = secretsManager.createSecret('one')
    const first = await get(extension, { secretId: name })
    expect(JSON.parse(first.body)).toMatchObject({ Name: name, SecretString: 'one', SecretBinary: null })
    standIn.secrets.put(name, 'two')
    expect(JSON.parse((await get(extension, { secretId: name })).body)).toMatchObject({ SecretString: 'one' })
    expect(extension.cacheHits).toBe(1)
    const previous = await get(extension, { secretId: name, versionStage: 'AWSPREVIOUS' })
    expect(JSON.parse(previous.body)).toMatchObject({ SecretString: 'one', VersionStages: ['AWSPREVIOUS'] })
  })

  test('reads again after a time to live of 0 seconds', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken: SESSION_TOKEN,
      ttlSeconds: 0,
    })
    const { name } = secretsManager.createSecret('one')
    await get(extension, { secretId: name })
    standIn.secrets.put(name, 'two')
    expect(JSON.parse((await get(extension, { secretId: name })).body)).toMatchObject({ SecretString: 'two' })
  })

  test('refuses a token that is not AWS_SESSION_TOKEN, with status 401', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken: SESSION_TOKEN,
    })
    expect(await get(extension, { secretId: secretsManager.createSecret('x').name }, 'wrong')).toMatchObject({
      status: 401,
    })
  })

  test('passes on the answer of Secrets Manager for an unknown secret', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken: SESSION_TOKEN,
    })
    const { status, body } = await get(extension, { secretId: 'nobody' })
    expect(status).toBe(400)
    expect(body).toContain("ResourceNotFoundException: Secrets Manager can't find the specified secret.")
  })

  test('answers 400 while not ready, 500 while broken, and nothing while absent', async () => {
    await using extension = await SecretsExtensionStandIn.start({
      secretsManagerUrl: standIn.url,
      sessionToken: SESSION_TOKEN,
    })
    const { name } = secretsManager.createSecret('x')
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
