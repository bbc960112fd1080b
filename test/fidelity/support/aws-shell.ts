/** The command lines of AWS and the CDK, with a server on loopback as their endpoint. */
import { execFile } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { outsidePart } from './outside-part.ts'

const REPOSITORY = join(import.meta.dirname, '../../..')
export const REGION = 'ap-southeast-1'
export const CREDENTIALS = {
  accessKeyId: 'test',
  secretAccessKey: 'not-a-real-key',
  sessionToken: 'not-a-real-token',
}

export interface AwsShell {
  /** Runs a shell command; returns its output. */
  sh(line: string, options?: { readonly cwd?: string }): Promise<string>
  /** Runs `aws`, and parses its answer. */
  aws(line: string): Promise<unknown>
}

/** What the server itself needs as well; nothing is written outside the folder. */
export function shellEnvironment(folder: string): Record<'PATH' | 'HOME' | 'TMPDIR', string> {
  const awscli = dirname(outsidePart('awscli', 'bin/aws'))
  // Functions and programs run on the Node that runs the tests.
  const PATH = [dirname(process.execPath), awscli, process.env.PATH].join(delimiter)
  return { PATH, HOME: folder, TMPDIR: folder }
}

/** @param url of the server. */
export function awsShell(url: string, folder: string): AwsShell {
  const environment = {
    ...shellEnvironment(folder),
    // The CDK's cache of which account a key belongs to does not follow HOME.
    CDK_HOME: folder,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_SESSION_TOKEN: CREDENTIALS.sessionToken,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ENDPOINT_URL: url,
    CI: 'true',
    NO_UPDATE_NOTIFIER: 'true',
  }
  const sh: AwsShell['sh'] = async (line, { cwd = REPOSITORY } = {}) => {
    const options = { cwd, env: environment, maxBuffer: 64 * 1024 * 1024 }
    // Node's own pipes are sockets, which cannot be opened as /dev/stdout.
    const { stdout } = await promisify(execFile)('bash', ['-o', 'pipefail', '-c', `{ ${line}\n} | cat`], options).catch(
      (cause: { stderr: string }) => {
        throw new Error(`${line} failed: ${cause.stderr}`, { cause })
      },
    )
    return stdout
  }
  return { sh, aws: async (line) => JSON.parse((await sh(`aws --output json ${line}`)) || 'null') }
}
