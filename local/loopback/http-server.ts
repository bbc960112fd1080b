/** An HTTP server on a free loopback port, for the HTTP stand-ins. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { ServerCertificate } from '../certificates.ts'

/** Answers one request; it handles its own failures. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void

export class LoopbackHttpServer {
  readonly port: number
  readonly #server: Server
  readonly #protocol: 'http' | 'https'

  private constructor(server: Server, protocol: 'http' | 'https', port: number) {
    this.#protocol = protocol
    this.#server = server
    this.port = port
  }

  /** @param certificate for HTTPS; HTTP without one */
  static async start(handle: RequestHandler, certificate?: ServerCertificate): Promise<LoopbackHttpServer> {
    const listener = (request: IncomingMessage, response: ServerResponse) => void handle(request, response)
    const server =
      certificate === undefined
        ? createServer(listener)
        : createTlsServer({ cert: certificate.certificate, key: certificate.privateKey }, listener)
    // Long polls, and connections idle between two requests, stay open until their client closes them.
    server.requestTimeout = 0
    server.keepAliveTimeout = 0
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port')
    return new LoopbackHttpServer(server, certificate === undefined ? 'http' : 'https', address.port)
  }

  get url(): string {
    return `${this.#protocol}://127.0.0.1:${this.port}`
  }

  /** Stops listening, and closes all connections. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }
}

/** Ends a response with a JSON body. */
export function answerJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body))
}
