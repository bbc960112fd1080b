/** AWS on loopback, and the command lines that talk to it. */
import { execFile } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type LoopbackServer, startLoopbackServer } from './loopback-server.ts'
import { outsidePart } from './outside-part.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
export const REGION = 'ap-southeast-1'
export const ACCOUNT = '000000000000'
export const CREDENTIALS = {
  accessKeyId: 'test',
  secretAccessKey: 'not-a-real-key',
  sessionToken: 'not-a-real-token',
}
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback-names-preload.ts')

export interface Ministack extends AsyncDisposable {
  readonly url: string
  /** Variables that lead the AWS command line and the CDK to it. */
  readonly environment: NodeJS.ProcessEnv
  /** Runs a line of a shell; gives what it prints. */
  sh(line: string, options?: { readonly cwd?: string }): Promise<string>
  /** Runs `aws`, and parses its answer. */
  aws(line: string): Promise<unknown>
}

/** @param folder for all that it and its callers write. */
export async function startMinistack(folder: string): Promise<Ministack> {
  const program = outsidePart('ministack', 'bin/ministack')
  const awscli = dirname(outsidePart('awscli', 'bin/aws'))
  const base = {
    // Functions run on the Node that runs the tests.
    PATH: [dirname(process.execPath), awscli, process.env.PATH].join(delimiter),
    HOME: folder,
    TMPDIR: folder,
  }
  const server: LoopbackServer = await startLoopbackServer({
    command: () => [program],
    environment: (port) => ({
      ...base,
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_REGION: REGION,
      // Functions inherit it: names below the Cloud's domain lead to the stand-in.
      NODE_OPTIONS: `--import=${LOOPBACK_NAMES}`,
    }),
    readyPath: '/_ministack/health',
  })
  const environment = {
    ...base,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ENDPOINT_URL: server.url,
    CI: 'true',
    NO_UPDATE_NOTIFIER: 'true',
  }
  const sh: Ministack['sh'] = async (line, { cwd = REPOSITORY } = {}) => {
    const options = { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 }
    // Node's own pipes are sockets, which cannot be opened as /dev/stdout.
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', `{ ${line}\n} | cat`], options).catch(
      (cause: { stderr: string }) => {
        throw new Error(`${line} failed: ${cause.stderr}`, { cause })
      },
    )
    return stdout
  }
  return {
    ...{ url: server.url, environment, sh },
    aws: async (line) => JSON.parse((await sh(`aws --output json ${line}`)) || 'null'),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
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
