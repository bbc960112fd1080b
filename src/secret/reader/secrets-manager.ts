/** Reads a secret through the AWS SDK: the only importer of `@aws-sdk/client-secrets-manager`, loaded when it is needed. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { SecretRequest, SecretValue } from './request.ts'

const CONNECTION_TIMEOUT_MS = 1000
const REQUEST_TIMEOUT_MS = 3000

let client: SecretsManagerClient | undefined

/**
 * GetSecretValue.
 *
 * @throws the SDK's own error; its `name` is Secrets Manager's exception.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function getSecretValue(request: SecretRequest): Promise<SecretValue> {
  client ??= new SecretsManagerClient({
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  })
  const { secretId: SecretId, versionStage: VersionStage, signal: abortSignal } = request
  const answer = await client.send(new GetSecretValueCommand({ SecretId, VersionStage }), { abortSignal })
  return { secretString: answer.SecretString, versionId: answer.VersionId, createdAt: answer.CreatedDate?.getTime() }
}
