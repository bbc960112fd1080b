/** Events as services send them. */

/** Of a function URL, or of API Gateway with payload format 2.0. */
export function httpEvent(path: string, query = ''): object {
  return {
    version: '2.0',
    rawPath: path,
    rawQueryString: query,
    headers: { host: 'example.lambda-url.us-east-1.on.aws' },
    requestContext: { http: { method: 'GET', path, sourceIp: '192.0.2.1' }, stage: '$default' },
    isBase64Encoded: false,
  }
}

/** Of an SQS queue; the messages are `message-0`, `message-1`, … */
export function sqsEvent(bodies: readonly string[]): object {
  return { Records: bodies.map((body, index) => ({ messageId: `message-${index}`, body, eventSource: 'aws:sqs' })) }
}

/** The body of a streamed answer, behind its metadata. */
export function bodyOf(payload: unknown): string {
  return String(payload).split('\0').at(-1) ?? ''
}
