/** What a function needs on this machine: the built layer, a PostgreSQL, and the stand-ins for CockroachDB Cloud and Secrets Manager. */
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltLayer, buildLayer } from './built-layer.ts'
import { type CertificateAuthority, createCertificateAuthority } from './certificates.ts'
import { CloudStandIn } from './cloud/stand-in.ts'
import { Tenant } from './cloud/tenant.ts'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from './lambda/execution-environment.ts'
import type { FunctionDefinition } from './lambda/function-definition.ts'
import { makeTemporaryFolder, removeTemporaryFolder } from './lambda/temporary-folder.ts'
import { PostgresServer } from './postgres/server.ts'
import { SecretsManagerStandIn } from './secrets-manager/stand-in.ts'

const CLUSTER = 'cozy-otter-4821'
const SECRET = 'cockroach-lambda/sample'
const USER = 'app'
const DATABASE = 'defaultdb'
const LOOPBACK_NAMES = join(import.meta.dirname, 'loopback/names-preload.ts')

/** A database of the cluster, and a user who may create tables in it. */
export interface DatabaseAccess {
  readonly user: string
  readonly password: string
  /** As the cluster names it, without the identifier. */
  readonly database: string
  readonly cluster: string
}

export interface Services extends AsyncDisposable {
  readonly layer: BuiltLayer
  /** A temporary folder, removed with the rest. */
  readonly folder: string
  /** A folder to lay over the layer's: the stand-in's authority instead of the public ones. */
  readonly rootCertificateLayer: string
  /** The certificate in that folder. */
  readonly rootCertificate: string
  readonly postgres: PostgresServer
  readonly access: DatabaseAccess
  readonly cloud: CloudStandIn
  readonly secretsManager: SecretsManagerStandIn
  /** The secret's name. */
  readonly secretId: string
  /** A new execution environment of a function, which finds the stand-ins. */
  startEnvironment(definition: FunctionDefinition, options?: ExecutionEnvironmentOptions): Promise<ExecutionEnvironment>
}

export interface ServicesOptions {
  /** Called at each step, with one short line of text. */
  readonly onProgress?: (step: string) => void
  /** When aborted, everything that was started is stopped, and the promise rejects. */
  readonly signal?: AbortSignal
}

/**
 * Builds and starts everything; takes some seconds.
 *
 * @throws Error saying which step failed; nothing is left running then.
 */
export async function startServices({ onProgress, signal }: ServicesOptions = {}): Promise<Services> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.adopt(await makeFolder(), removeTemporaryFolder)
  const authority = await createCertificateAuthority('Stand-in Root CA')
  const rootCertificateLayer = join(folder, 'root-certificate')
  const rootCertificate = join(rootCertificateLayer, 'certs/root.crt')
  await mkdir(join(rootCertificateLayer, 'certs'), { recursive: true })
  await writeFile(rootCertificate, authority.certificate)

  onProgress?.('building the layer and starting PostgreSQL')
  const building = buildLayer(signal)
  const starting = PostgresServer.start({ ...(onProgress && { onProgress }), signal }).then((server) =>
    stack.use(server),
  )
  // Waits for both, or a failed build would leave a PostgreSQL that is not in the stack yet.
  await Promise.allSettled([building, starting])
  const [layer, postgres] = [await building, await starting]
  signal?.throwIfAborted()

  const password = randomBytes(18).toString('base64')
  await postgres.createDatabase(DATABASE)
  await postgres.createUser(USER, password)
  const cloud = stack.use(await startCloud(postgres, authority))
  const secretsManager = stack.use(await SecretsManagerStandIn.start())
  const { host } = cloud.tenant(CLUSTER)
  const secret = { host, port: cloud.port, username: USER, password, dbname: DATABASE }
  secretsManager.secrets.create(SECRET, JSON.stringify(secret))
  const moved = stack.move()
  return {
    ...{ layer, folder, rootCertificateLayer, rootCertificate, postgres, cloud, secretsManager, secretId: SECRET },
    access: { user: USER, password, database: DATABASE, cluster: CLUSTER },
    startEnvironment: (definition, options = {}) =>
      ExecutionEnvironment.start(definition, {
        ...options,
        execArgv: [`--import=${LOOPBACK_NAMES}`, ...(options.execArgv ?? [])],
        environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url, ...options.environment },
      }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  }
}

/** Other programs of this machine reach it by the name localhost. */
async function startCloud({ port }: PostgresServer, authority: CertificateAuthority): Promise<CloudStandIn> {
  const tenant = { cluster: CLUSTER, databases: { [DATABASE]: DATABASE } }
  const { host } = new Tenant(tenant, { port })
  return await CloudStandIn.start({
    postgres: { port },
    authority,
    tenants: [tenant],
    hosts: [host, 'localhost', '127.0.0.1'],
  })
}

async function makeFolder(): Promise<string> {
  return makeTemporaryFolder().catch((cause: unknown) => {
    throw new Error(`cannot make a folder in ${tmpdir()}; set TMPDIR to a folder that can be written to`, { cause })
  })
}
