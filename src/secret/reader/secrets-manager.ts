/** Reads a secret through the AWS SDK: the only importer of `@aws-sdk/client-secrets-manager`, loaded when it is needed. */
import type { Readable } from 'node:stream'
import {
  GetSecretValueCommand,
  SecretsManagerClient,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager'
import { VERIFIED_TLS } from '../../base/verified-tls.ts'
import type { SecretRequest, SecretValue } from './request.ts'

const CONNECTION_TIMEOUT_MS = 1000
const REQUEST_TIMEOUT_MS = 3000

/** What the SDK's own behaviour is replaced by. */
export interface SdkReplacements {
  /** Reads an answer; the SDK's own would read an endless one. */
  readonly collect: (answer: Readable) => Promise<Uint8Array>
  /** Makes an error fit to be shown; `keys` is what AWS knows from us in confidence, and may have quoted in it. */
  readonly shownError: (error: unknown, keys: readonly string[]) => Error
}

/** AWS quotes keys when it cannot verify a signature; whoever did not answer quotes nothing. */
async function quotableKeys(error: unknown, client: SecretsManagerClient): Promise<readonly string[]> {
  if (!(error instanceof SecretsManagerServiceException)) return []
  const { secretAccessKey, sessionToken = '' } = await client.config.credentials()
  return [secretAccessKey, sessionToken]
}

/**
 * GetSecretValue.
 *
 * @param region where to ask; undefined: where the SDK is configured to.
 * @throws what `shownError` makes of the SDK's own error; its `name` is Secrets Manager's exception.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function getSecretValue(
  { secretId: SecretId, versionStage: VersionStage, signal: abortSignal }: SecretRequest,
  region: string | undefined,
  { collect, shownError }: SdkReplacements,
): Promise<SecretValue> {
  // Made for one request: readings are minutes apart, and a client keeps the keys that it found first for good.
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    streamCollector: collect,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      httpsAgent: VERIFIED_TLS,
    },
  })
  try {
    const answer = await client.send(new GetSecretValueCommand({ SecretId, VersionStage }), { abortSignal })
    return { secretString: answer.SecretString, versionId: answer.VersionId, createdAt: answer.CreatedDate?.getTime() }
  } catch (error) {
    throw shownError(error, await quotableKeys(error, client))
  } finally {
    client.destroy()
  }
}
