/** Stores a value in Secrets Manager. */
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { ConnectionError } from '../../src/base/connection-error.ts'
import { foreignError } from '../../src/base/foreign-text.ts'
import { Password } from '../../src/base/password.ts'
import { VERIFIED_TLS } from '../../src/base/verified-tls.ts'
import { secretHint } from '../../src/secret/hint.ts'
import { secretRegion } from '../../src/settings/secret-region.ts'

/**
 * @returns the id of the new version
 * @throws ConnectionError `ERR_SECRET_UNAVAILABLE`
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
 */
export async function putSecretValue(secretId: string, value: Readonly<Record<string, unknown>>): Promise<string> {
  const region = secretRegion(secretId)
  const client = new SecretsManagerClient({
    ...(region !== undefined && { region }),
    requestHandler: { connectionTimeout: 5000, requestTimeout: 10_000, httpsAgent: VERIFIED_TLS },
  })
  try {
    const request = new PutSecretValueCommand({ SecretId: secretId, SecretString: JSON.stringify(value) })
    const { VersionId = 'unknown' } = await client.send(request)
    return VersionId
  } catch (error) {
    const cause = foreignError(error, [new Password(String(value.password ?? ''))])
    throw new ConnectionError(
      'ERR_SECRET_UNAVAILABLE',
      `PutSecretValue for "${secretId}" failed: ${cause.name}: ${cause.message}`,
      { cause, hint: secretHint(cause).replace('GetSecretValue', 'PutSecretValue') },
    )
  } finally {
    client.destroy()
  }
}
