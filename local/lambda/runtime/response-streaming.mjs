/** Response streaming, as Lambda's runtime has it: the handler writes into the request that carries its answer. */

// Not imported, as in bootstrap.mjs.
const { request: httpRequest } = process.getBuiltinModule('node:http')

/** The mark by which a runtime knows such a handler. */
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
/** Between the metadata of an HTTP answer and its body. */
const SEPARATOR = Buffer.alloc(8)

/** Functions find it without an import. @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html */
globalThis.awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = 'response'
    return handler
  },
  HttpResponseStream: {
    from(stream, metadata) {
      stream.setContentType('application/vnd.awslambda.http-integration-response')
      stream.write(JSON.stringify(metadata))
      stream.write(SEPARATOR)
      return stream
    },
  },
}

export function isStreaming(handler) {
  return handler[STREAMING] === 'response'
}

/**
 * Calls `write(responseStream)`; settles when it has settled, and the stream has ended and was taken.
 * Rejects as `write` does, and then nothing has been answered.
 */
export async function streamResponse(url, agent, write) {
  const headers = { 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Content-Type': 'application/octet-stream' }
  const stream = httpRequest(url, { method: 'POST', agent, headers })
  stream.setContentType = (type) => stream.setHeader('Content-Type', type)
  const taken = new Promise((resolve, reject) => {
    stream.on('response', (response) => response.resume().on('end', resolve))
    stream.on('error', reject)
  })
  taken.catch(() => undefined)
  try {
    await write(stream)
  } catch (error) {
    stream.destroy()
    throw error
  }
  await taken
}
