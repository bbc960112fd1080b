/** Reads a secret through the AWS SDK: the only importer of `@aws-sdk/client-secrets-manager`, loaded when it is needed. */
import type { Readable } from 'node:stream'
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager'
import type { SecretRequest, SecretValue } from './request.ts'

const CONNECTION_TIMEOUT_MS = 1000
const REQUEST_TIMEOUT_MS = 3000

type Collect = (answer: Readable) => Promise<Uint8Array>

/**
 * GetSecretValue.
 *
 * @param region where to ask; undefined: where the SDK is configured to.
 * @param collect reads an answer; the SDK's own would read an endless one.
 * @throws the SDK's own error; its `name` is Secrets Manager's exception.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function getSecretValue(
  request: SecretRequest,
  region: string | undefined,
  collect: Collect,
): Promise<SecretValue> {
  const { secretId: SecretId, versionStage: VersionStage, signal: abortSignal } = request
  // Made for one request: readings are minutes apart, and a client keeps the keys that it found first for good.
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    streamCollector: collect,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  })
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId, VersionStage }), { abortSignal })
    return { secretString: answer.SecretString, versionId: answer.VersionId, createdAt: answer.CreatedDate?.getTime() }
  } finally {
    client.destroy()
  }
}

/** What AWS knows from us in confidence, and quotes when it cannot verify a signature; nothing when it did not answer. */
export async function quotableKeys(error: unknown, region: string | undefined): Promise<readonly string[]> {
  const client = clients.get(region)
  if (client === undefined || !(error instanceof SecretsManagerServiceException)) return []
  const { secretAccessKey, sessionToken = '' } = await client.config.credentials()
  return [secretAccessKey, sessionToken]
}
