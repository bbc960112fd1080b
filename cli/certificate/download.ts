/** Downloads the root certificate of a cluster from CockroachDB Cloud. */
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { ConnectionError } from '../../src/base/connection-error.ts'
import { foreignText } from '../../src/base/foreign-text.ts'
import { VERIFIED_TLS } from '../../src/base/verified-tls.ts'

export const CLOUD_ORIGIN = 'https://cockroachlabs.cloud'
const LIMIT_MS = 10_000
const LONGEST_BYTES = 1024 * 1024
const HINT = 'Open the address in a browser, or in the console: Connect > Download CA Cert.'

export interface Download {
  /** Of the server, without a path. */
  readonly origin: string
  /** What its chain has to end in. @default Node's own roots */
  readonly ca?: string
}

function answerTo(url: URL, ca: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { ...VERIFIED_TLS, ...(ca !== undefined && { ca }), signal }, resolve).on('error', reject)
  })
}

/**
 * The answer's text, in which a certificate is.
 *
 * @param clusterId the UUID in the cluster's address in the console
 * @throws ConnectionError `ERR_CONNECT` when the server does not answer with a file
 * @see https://www.cockroachlabs.com/docs/cockroachcloud/authentication
 */
export async function downloadRootCertificate(clusterId: string, { origin, ca }: Download): Promise<string> {
  const url = new URL(`/clusters/${clusterId}/cert`, origin)
  const failed = (what: string, cause?: unknown) =>
    new ConnectionError('ERR_CONNECT', `GET ${url} failed: ${what}`, {
      hint: HINT,
      safeToRetry: true,
      ...(cause !== undefined && { cause }),
    })
  try {
    const answer = await answerTo(url, ca, AbortSignal.timeout(LIMIT_MS))
    // A redirection would be to a page for people: the file is here, or nowhere.
    if (answer.statusCode !== 200) {
      answer.destroy()
      throw failed(`the server answers ${answer.statusCode}`)
    }
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer) {
      bytes += chunk.length
      if (bytes > LONGEST_BYTES) throw failed(`the answer has more than ${LONGEST_BYTES} bytes`)
      chunks.push(chunk)
    }
    const text = Buffer.concat(chunks).toString()
    if (!text.includes('-----BEGIN CERTIFICATE-----'))
      throw failed(`the answer is not a certificate (${text.length} characters)`)
    return text
  } catch (cause) {
    if (cause instanceof ConnectionError) throw cause
    throw failed(foreignText(cause instanceof Error ? cause.message : String(cause)), cause)
  }
}
