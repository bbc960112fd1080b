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

/** Functions that replace what the SDK does. */
export interface SdkReplacements {
  /** Reads an answer up to a limit, which the SDK does not have. */
  readonly collect: (answer: Readable) => Promise<Uint8Array>
  /** Makes an error fit to be shown; `keys` are ours, which AWS may quote in it. */
  readonly shownError: (error: unknown, keys: readonly string[]) => Error
}

/** The keys that an error may quote: AWS does so when it cannot verify a signature. Without an answer there are none. */
async function quotableKeys(error: unknown, client: SecretsManagerClient): Promise<readonly string[]> {
  if (!(error instanceof SecretsManagerServiceException)) return []
  const { secretAccessKey, sessionToken = '' } = await client.config.credentials()
  return [secretAccessKey, sessionToken]
}

/**
 * GetSecretValue.
 *
 * @param region of the secret; undefined: the one of the SDK's configuration.
 * @throws what `shownError` makes of the SDK's own error; its `name` is Secrets Manager's exception.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export async function getSecretValue(
  { secretId: SecretId, versionStage: VersionStage, signal: abortSignal }: SecretRequest,
  region: string | undefined,
  { collect, shownError }: SdkReplacements,
): Promise<SecretValue> {
  // Made for one request: readings are minutes apart, and a client never replaces the keys that it found first.
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
