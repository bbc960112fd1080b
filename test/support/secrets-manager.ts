/** The Secrets Manager stand-in, and the real SDK to ask it with. */
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'

export const SESSION_TOKEN = 'local-session-token'

export interface TestSecretsManager extends AsyncDisposable {
  readonly standIn: SecretsManagerStandIn
  readonly sdk: SecretsManager
  /** A secret under a new name; without any version when there is no value. */
  createSecret(value?: string | Buffer): { readonly name: string; readonly arn: string }
}

export async function openSecretsManager(): Promise<TestSecretsManager> {
  const standIn = await SecretsManagerStandIn.start()
  const sdk = new SecretsManager({
    endpoint: standIn.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'local', sessionToken: SESSION_TOKEN },
    maxAttempts: 1,
  })
  let secretCount = 0
  return {
    standIn,
    sdk,
    createSecret(value) {
      secretCount += 1
      const name = `app/db-${secretCount}`
      return { name, arn: standIn.secrets.create(name, value) }
    },
    async [Symbol.asyncDispose]() {
      sdk.destroy()
      await standIn.stop()
    },
  }
}
