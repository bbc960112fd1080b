/** Reads a secret from the AWS Parameters and Secrets extension: plain HTTP inside the execution environment, no SDK to load. */
import { get } from 'node:http'
import { secretValue } from './answer.ts'
import type { GetSecretValue, SecretRequest } from './request.ts'

/** Not ready, broken or silent for this long: the SDK is asked instead. */
const ANSWER_TIMEOUT_MS = 1000

/** The extension is not in this execution environment. */
class ExtensionAbsent extends Error {
  override readonly name = 'ExtensionAbsent'
}

function request(
  port: number,
  token: string,
  { secretId, versionStage, signal, onSent }: SecretRequest,
): Promise<string> {
  const query = new URLSearchParams({ secretId, versionStage })
  const options = {
    host: '127.0.0.1',
    port,
    path: `/secretsmanager/get?${query}`,
    headers: { 'X-Aws-Parameters-Secrets-Token': token },
    agent: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
  } as const
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void =>
      reject(error.code === 'ECONNREFUSED' ? new ExtensionAbsent('no secrets extension is listening') : error)
    const sent = get(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
        else reject(new Error(`the secrets extension answered ${response.statusCode}`))
      })
    })
    sent.on('error', refused)
    if (onSent !== undefined) sent.once('finish', onSent)
  })
}

/**
 * A reader for the extension on `port`.
 *
 * @throws ExtensionAbsent when nothing listens there; any other error when it is not ready or broken.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
export function secretsExtension(port: number, sessionToken: string): GetSecretValue {
  return async (secretRequest) => secretValue(await request(port, sessionToken, secretRequest), 'the secrets extension')
}
