/** Reads a secret from the AWS Parameters and Secrets extension: plain HTTP inside the execution environment, without the SDK. */
import { request } from 'node:http'
import { secretValue } from './answer.ts'
import { exchange } from './exchange.ts'
import type { GetSecretValue, SecretRequest } from './request.ts'

/** The limit of an answer; behind it, the SDK is used. */
const ANSWER_TIMEOUT_MS = 1000

/** The extension is not in this execution environment. */
class ExtensionAbsent extends Error {
  override readonly name = 'ExtensionAbsent'
}

async function ask(
  port: number,
  token: string,
  { secretId, versionStage, signal, onSent }: SecretRequest,
): Promise<string> {
  const query = new URLSearchParams({ secretId, versionStage })
  const sent = request({
    host: '127.0.0.1',
    port,
    path: `/secretsmanager/get?${query}`,
    headers: { 'X-Aws-Parameters-Secrets-Token': token },
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
  })
  const { statusCode, body } = await exchange(sent, '', onSent).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ECONNREFUSED' ? new ExtensionAbsent('no secrets extension is listening') : error
  })
  if (statusCode === 200) return body
  throw new Error(`the secrets extension answered ${statusCode}`)
}

/**
 * A reader for the extension on `port`.
 *
 * @throws ExtensionAbsent when nothing listens there; any other error when it is not ready, or fails.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export function secretsExtension(port: number, sessionToken: string): GetSecretValue {
  return async (secretRequest) => secretValue(await ask(port, sessionToken, secretRequest), 'the secrets extension')
}
