/** Sends an HTTP request and collects the whole answer. */
import type { ClientRequest } from 'node:http'
import type { Readable } from 'node:stream'

export interface Answer {
  readonly statusCode: number | undefined
  readonly body: string
}

/**
 * A secret has at most 65,536 bytes; JSON may need six for each, and some more for names and stages.
 *
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
 */
const LONGEST_ANSWER_BYTES = 400 * 1024

/** The bytes of an answer; reading ends at the limit. By its events, since an iterator of a stream is slow to make. */
export function collect(answer: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes <= LONGEST_ANSWER_BYTES) return
      // This closes the connection.
      answer.destroy(new Error(`the answer has more than ${LONGEST_ANSWER_BYTES} bytes`))
    })
    answer.once('error', reject).once('end', () => resolve(Buffer.concat(chunks)))
    answer.once('close', () => reject(new Error('the answer was cut off')))
  })
}

/**
 * Ends the request with `body`; rejects when the request or its answer is cut off.
 *
 * @param onSent called when the request is sent
 */
export function exchange(request: ClientRequest, body: string, onSent: (() => void) | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    if (onSent !== undefined) request.once('finish', onSent)
    request.once('response', (response) => {
      collect(response).then((bytes) => resolve({ statusCode: response.statusCode, body: bytes.toString() }), reject)
    })
    request.end(body)
  })
}
