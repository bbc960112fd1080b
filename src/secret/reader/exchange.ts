/** Sends an HTTP request and collects the whole answer. */
import type { ClientRequest } from 'node:http'

export interface Answer {
  readonly statusCode: number | undefined
  readonly body: string
}

/**
 * Ends the request with `body`; rejects when the request or its answer breaks off.
 *
 * @param onSent called when the request has left
 */
export function exchange(request: ClientRequest, body: string, onSent: (() => void) | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    if (onSent !== undefined) request.once('finish', onSent)
    request.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ statusCode: response.statusCode, body: Buffer.concat(chunks).toString() }))
    })
    request.end(body)
  })
}
