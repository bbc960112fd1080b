/** The sample stack on this machine: layer and template are built, PostgreSQL runs, and stand-ins replace CockroachDB Cloud and Secrets Manager. */
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { createCertificateAuthority } from '../certificates.ts'
import { CloudStandIn } from '../cloud/stand-in.ts'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../lambda/execution-environment.ts'
import type { FunctionDefinition } from '../lambda/function-definition.ts'
import { functionFromTemplate } from '../lambda/template.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from '../lambda/temporary-folder.ts'
import { PostgresServer } from '../postgres/server.ts'
import { SecretsManagerStandIn } from '../secrets-manager/stand-in.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const STACK = 'CockroachHealthCheck'
const CLUSTER = 'cozy-otter-4821'
const SECRET = 'cockroach-lambda/sample'
const USER = 'app'
const DATABASE = 'defaultdb'
const LOOPBACK_NAMES = join(import.meta.dirname, '../loopback/names-preload.ts')

/** The layer as `npm run build` made it. */
export interface BuiltLayer {
  readonly path: string
  readonly bytes: number
  /** Of the zip file, in hexadecimal. */
  readonly sha256: string
}

export interface SampleStack extends AsyncDisposable {
  readonly layer: BuiltLayer
  readonly cloud: CloudStandIn
  readonly postgres: PostgresServer
  readonly secretsManager: SecretsManagerStandIn
  /** The health-check function, as the template has it. */
  readonly definition: FunctionDefinition
  /** A new execution environment of that function. */
  startEnvironment(options?: ExecutionEnvironmentOptions): Promise<ExecutionEnvironment>
}

export interface SampleStackOptions {
  /** Called at each step, with one short line of text. */
  readonly onProgress?: (step: string) => void
  /** When aborted, everything that was started is stopped, and the promise rejects. */
  readonly signal?: AbortSignal
}

/** Runs a script of this repository; its output is in the error when it fails. */
async function run(script: string, variables: Readonly<Record<string, string>> = {}): Promise<void> {
  const child = spawn(process.execPath, [join(REPOSITORY, script)], {
    cwd: REPOSITORY,
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
    // Not ended by Ctrl-C, which would leave half-made files: it ends by itself in seconds.
    detached: true,
  })
  const [output, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (status !== 0) throw new Error(`${script} failed: ${output.trim()}`)
}

async function makeFolder(): Promise<string> {
  return makeTemporaryFolder().catch((cause: unknown) => {
    throw new Error(`cannot make a folder in ${tmpdir()}; set TMPDIR to a folder that can be written to`, { cause })
  })
}

async function buildLayer(): Promise<BuiltLayer> {
  await run('layer/build.ts')
  const path = join(REPOSITORY, 'dist/layer.zip')
  const zip = await readFile(path)
  return {
    path: relative(process.cwd(), path),
    bytes: zip.length,
    sha256: createHash('sha256').update(zip).digest('hex'),
  }
}

/** Runs the app as `cdk synth` would, with the stand-in's authority instead of the public ones. */
async function synthesise(cdkOut: string, certificate: string): Promise<void> {
  const rootCertificate = join(cdkOut, '..', 'stand-in-root.crt')
  await writeFile(rootCertificate, certificate)
  const context = JSON.stringify({ secretName: SECRET, rootCertificate })
  await run('cdk/app.ts', { CDK_OUTDIR: cdkOut, CDK_CONTEXT_JSON: context })
}

/**
 * Builds and starts everything; takes some seconds.
 *
 * @throws Error saying which step failed; nothing is left running then.
 */
export async function startSampleStack({ onProgress, signal }: SampleStackOptions = {}): Promise<SampleStack> {
  const stack = new AsyncDisposableStack()
  try {
    const folder = stack.adopt(await makeFolder(), removeTemporaryFolder)
    const cdkOut = join(folder, 'cdk.out')
    const authority = await createCertificateAuthority('Stand-in Root CA')

    onProgress?.('building the layer and starting PostgreSQL')
    const building = buildLayer()
    const starting = PostgresServer.start(onProgress && { onProgress }).then((server) => stack.use(server))
    // Waits for both, or a failed build would leave a PostgreSQL that is not in the stack yet.
    await Promise.allSettled([building, starting])
    const [layer, postgres] = [await building, await starting]
    signal?.throwIfAborted()
    onProgress?.('synthesising the stack')
    await synthesise(cdkOut, authority.certificate)
    signal?.throwIfAborted()

    const password = randomBytes(18).toString('base64')
    await postgres.createDatabase(DATABASE)
    await postgres.createUser(USER, password)
    const tenants = [{ cluster: CLUSTER, databases: { [DATABASE]: DATABASE } }]
    const cloud = stack.use(await CloudStandIn.start({ postgres: { port: postgres.port }, authority, tenants }))
    const secretsManager = stack.use(await SecretsManagerStandIn.start())
    const { host } = cloud.tenant(CLUSTER)
    const secret = { host, port: cloud.port, username: USER, password, dbname: DATABASE }
    secretsManager.secrets.create(SECRET, JSON.stringify(secret))

    const definition = await functionFromTemplate({ cdkOut, stackName: STACK, resolve: () => SECRET })
    const moved = stack.move()
    return {
      ...{ layer, cloud, postgres, secretsManager, definition },
      startEnvironment: (options = {}) =>
        ExecutionEnvironment.start(definition, {
          ...options,
          execArgv: [`--import=${LOOPBACK_NAMES}`, ...(options.execArgv ?? [])],
          environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url, ...options.environment },
        }),
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}
