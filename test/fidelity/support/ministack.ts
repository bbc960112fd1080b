/** AWS on loopback that runs functions, and the command lines that talk to it. */
import { join } from 'node:path'
import { type AwsShell, awsShell, REGION, shellEnvironment } from './aws-shell.ts'
import { type LoopbackServer, startLoopbackServer } from './loopback-server.ts'
import { outsidePart } from './outside-part.ts'

export const ACCOUNT = '000000000000'
const LOOPBACK_NAMES = join(import.meta.dirname, '../../../local/loopback/names-preload.ts')

export interface Ministack extends AwsShell, AsyncDisposable {
  readonly url: string
}

/** @param folder for all that it and its callers write. */
export async function startMinistack(folder: string): Promise<Ministack> {
  const program = outsidePart('ministack', 'bin/ministack')
  const server: LoopbackServer = await startLoopbackServer({
    command: () => [program],
    environment: (port) => ({
      ...shellEnvironment(folder),
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: REGION,
      // Functions inherit it: names below the Cloud's domain resolve to the stand-in.
      NODE_OPTIONS: `--import=${LOOPBACK_NAMES}`,
      // For functions in Python, whose libpq takes it instead of asking for the address.
      PGHOSTADDR: '127.0.0.1',
    }),
    readyPath: '/_ministack/health',
  })
  const stop = () => server[Symbol.asyncDispose]()
  return { url: server.url, ...awsShell(server.url, folder), [Symbol.asyncDispose]: stop }
}

/** The first JSON value of a text: `aws lambda invoke … /dev/stdout` prints the function's answer, then its own. */
export function firstJson(text: string): unknown {
  const end = [...text].reduce<{ depth: number; end: number }>(
    (state, character, index) => {
      if (state.end > 0) return state
      const depth = state.depth + (character === '{' ? 1 : character === '}' ? -1 : 0)
      return { depth, end: depth === 0 ? index + 1 : 0 }
    },
    { depth: 0, end: 0 },
  ).end
  return JSON.parse(text.slice(0, end))
}
