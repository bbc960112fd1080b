/** Does what is asked for over HTTP on loopback, one request after the other, as one execution environment handles them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { LoopbackHttpServer } from './loopback/http-server.ts'

/** By path, with its leading slash. Gets the request's body, parsed; undefined without one. Returns the answer's. */
export type Routes = Readonly<Record<string, (body: unknown) => Promise<unknown>>>

export interface RequestServer extends AsyncDisposable {
  readonly url: string
  readonly paths: readonly string[]
}

/** JSON in lines, as it is read in a terminal. */
function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`)
}

/** @throws SyntaxError saying what is wrong with the JSON */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const body = await text(request)
  return body.trim() === '' ? undefined : JSON.parse(body)
}

/** Listens on a free loopback port. Other paths are answered with the list of these. */
export async function startRequestServer(routes: Routes): Promise<RequestServer> {
  const paths = Object.keys(routes)
  let queue: Promise<unknown> = Promise.resolve()
  const server = await LoopbackHttpServer.start(async (request, response) => {
    const route = routes[new URL(request.url ?? '/', 'http://localhost').pathname]
    if (route === undefined) {
      answer(response, 404, { paths })
      return
    }
    try {
      const body = await readBody(request)
      queue = queue
        .then(() => route(body))
        .then(
          (result) => answer(response, 200, result),
          (error: unknown) => answer(response, 500, { error: messageOf(error) }),
        )
    } catch (error) {
      answer(response, 400, { error: `the body is not JSON: ${messageOf(error)}` })
    }
  })
  return { url: server.url, paths, [Symbol.asyncDispose]: () => server.stop() }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
