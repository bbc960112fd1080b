/** Reads the secret with the AWS SDK, as its documentation has it. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type SecretFields, secretId } from './secret-fields.ts'

const secretsManager = new SecretsManagerClient({})

export async function sdkSecret(): Promise<SecretFields> {
  const { SecretString } = await secretsManager.send(new GetSecretValueCommand({ SecretId: secretId }))
  return JSON.parse(SecretString ?? '')
}
