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

/** By region; undefined is the SDK's own. */
const clients = new Map<string | undefined, SecretsManagerClient>()

type Collect = (answer: Readable) => Promise<Uint8Array>

function clientFor(region: string | undefined, collect: Collect): SecretsManagerClient {
  const known = clients.get(region)
  if (known !== undefined) return known
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    streamCollector: collect,
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  })
  clients.set(region, client)
  return client
}

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
  const answer = await clientFor(region, collect).send(new GetSecretValueCommand({ SecretId, VersionStage }), {
    abortSignal,
  })
  return { secretString: answer.SecretString, versionId: answer.VersionId, createdAt: answer.CreatedDate?.getTime() }
}

/** What AWS knows from us in confidence, and quotes when it cannot verify a signature; nothing when it did not answer. */
export async function quotableKeys(error: unknown, region: string | undefined): Promise<readonly string[]> {
  const client = clients.get(region)
  if (client === undefined || !(error instanceof SecretsManagerServiceException)) return []
  const { secretAccessKey, sessionToken = '' } = await client.config.credentials()
  return [secretAccessKey, sessionToken]
}
