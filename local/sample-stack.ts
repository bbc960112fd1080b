/** The sample stack on this machine: the layer built, the template synthesised, database, Cloud and Secrets Manager played. */
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { createCertificateAuthority } from './certificates.ts'
import { CloudStandIn } from './cloud-stand-in.ts'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from './lambda/execution-environment.ts'
import type { FunctionDefinition } from './lambda/function-definition.ts'
import { functionFromTemplate } from './lambda/template.ts'
import { PostgresServer } from './postgres-server.ts'
import { SecretsManagerStandIn } from './secrets-manager-stand-in.ts'

const REPOSITORY = join(import.meta.dirname, '..')
const STACK = 'CockroachHealthCheck'
const CLUSTER = 'cozy-otter-4821'
const SECRET = 'cockroach-lambda/sample'
const USER = 'app'
const DATABASE = 'defaultdb'
const LOOPBACK_NAMES = join(import.meta.dirname, 'loopback-names-preload.ts')

const run = promisify(execFile)

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

async function buildLayer(): Promise<BuiltLayer> {
  await run(process.execPath, [join(REPOSITORY, 'layer/build.ts')], { cwd: REPOSITORY })
  const path = join(REPOSITORY, 'dist/layer.zip')
  const zip = await readFile(path)
  return {
    path: relative(process.cwd(), path),
    bytes: zip.length,
    sha256: createHash('sha256').update(zip).digest('hex'),
  }
}

/** Runs the app as `cdk synth` would, with the stand-in's authority in the place of the public ones. */
async function synthesise(cdkOut: string, certificate: string): Promise<void> {
  const rootCertificate = join(cdkOut, '..', 'stand-in-root.crt')
  await writeFile(rootCertificate, certificate)
  const context = JSON.stringify({ secretName: SECRET, rootCertificate })
  const env = { ...process.env, CDK_OUTDIR: cdkOut, CDK_CONTEXT_JSON: context }
  await run(process.execPath, [join(REPOSITORY, 'cdk/app.ts')], { cwd: REPOSITORY, env })
}

/**
 * Builds and starts everything; takes some seconds.
 *
 * @param onProgress told what is being done, one short line at a time
 */
export async function startSampleStack(onProgress: (step: string) => void = () => undefined): Promise<SampleStack> {
  const stack = new AsyncDisposableStack()
  try {
    const folder = await mkdtemp(join(tmpdir(), 'cockroach-lambda-sample-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const cdkOut = join(folder, 'cdk.out')
    const authority = await createCertificateAuthority('Stand-in Root CA')

    onProgress('building the layer and starting PostgreSQL')
    const [layer, postgres] = await Promise.all([
      buildLayer(),
      PostgresServer.start({ onProgress }).then((server) => stack.use(server)),
    ])
    onProgress('synthesising the stack')
    await synthesise(cdkOut, authority.certificate)

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
