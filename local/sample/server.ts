/** Invokes the sample stack's function on request, over HTTP on loopback. */
import type { ServerResponse } from 'node:http'
import type { ExecutionEnvironment } from '../lambda/execution-environment.ts'
import { LoopbackHttpServer } from '../loopback/http-server.ts'
import { describeInvocation } from './run.ts'

export interface SampleServer extends AsyncDisposable {
  readonly url: string
  /** Each with its leading slash. */
  readonly paths: readonly string[]
}

/** JSON in lines, as it is read in a terminal. */
function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body, null, 2)}\n`)
}

/** What each path does; one invocation at a time, as one execution environment handles them. */
function routes(environment: ExecutionEnvironment): Readonly<Record<string, () => Promise<unknown>>> {
  return {
    '/invoke': async () => describeInvocation('warm', await environment.invoke({})),
    '/freeze': async () => {
      await environment.freeze()
      return { frozen: true }
    },
    '/thaw': async () => describeInvocation('thawed', await environment.invoke({})),
  }
}

/** Listens on a free loopback port: `/invoke`, `/freeze`, `/thaw`. */
export async function startSampleServer(environment: ExecutionEnvironment): Promise<SampleServer> {
  const known = routes(environment)
  let queue: Promise<unknown> = Promise.resolve()
  const server = await LoopbackHttpServer.start((request, response) => {
    const route = known[new URL(request.url ?? '/', 'http://localhost').pathname]
    if (route === undefined) {
      answer(response, 404, { paths: Object.keys(known) })
      return
    }
    queue = queue.then(route).then(
      (body) => answer(response, 200, body),
      (error: unknown) => answer(response, 500, { error: String(error) }),
    )
  })
  return { url: server.url, paths: Object.keys(known), [Symbol.asyncDispose]: () => server.stop() }
}
