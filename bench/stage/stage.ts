/** The servers and environments of all functions: PostgreSQL behind the Cloud stand-in, Secrets Manager's stand-in, the Lambda stand-in. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { createCertificateAuthority } from '../../local/certificates.ts'
import { CloudStandIn } from '../../local/cloud/stand-in.ts'
import { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { type UnpackedFolder, unpack } from '../../local/lambda/unpacked-folder.ts'
import { PostgresServer } from '../../local/postgres/server.ts'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { bundleSubjects, MEMORY_SUBJECTS, type SubjectCode, type SubjectName, subjectSource } from './subjects.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const PRELOAD = join(import.meta.dirname, 'preload.mjs')
const CLUSTER = 'cozy-otter-4821'
const SECRET = 'bench/db'
const USER = 'app'
const DATABASE = 'defaultdb'
/** Those that are measured without a limit have a whole processor. */
const MEMORY_MB = 1769
/** Enough for the warm invocations that a run makes within one. */
const TIMEOUT_SECONDS = 600
/** More than the environments that run at once. */
const MAX_CONNECTIONS = '150'

export interface Delays {
  /** To the database and back, in milliseconds. */
  readonly rttMs: number
  /** Of Secrets Manager's answer, in milliseconds. */
  readonly secretMs: number
}

export class Stage {
  readonly cloud: CloudStandIn
  readonly secretsManager: SecretsManagerStandIn
  readonly #code: SubjectCode
  readonly #disposables: AsyncDisposableStack

  private constructor(
    parts: { cloud: CloudStandIn; secretsManager: SecretsManagerStandIn; code: SubjectCode },
    disposables: AsyncDisposableStack,
  ) {
    this.cloud = parts.cloud
    this.secretsManager = parts.secretsManager
    this.#code = parts.code
    this.#disposables = disposables
  }

  static async open(): Promise<Stage> {
    await using disposables = new AsyncDisposableStack()
    const authority = await createCertificateAuthority('Stand-in Root CA')
    const code = disposables.use(await bundleSubjects(authority.certificate))
    const postgres = disposables.use(await PostgresServer.start({ settings: { max_connections: MAX_CONNECTIONS } }))
    const password = randomBytes(15).toString('hex')
    await postgres.createDatabase(DATABASE)
    await postgres.createUser(USER, password)
    const cloud = disposables.use(
      await CloudStandIn.start({
        postgres: { port: postgres.port },
        tenants: [{ cluster: CLUSTER, databases: { [DATABASE]: DATABASE } }],
        authority,
      }),
    )
    const secretsManager = disposables.use(
      await SecretsManagerStandIn.start(await authority.issue({ hosts: ['127.0.0.1'] })),
    )
    const { host } = cloud.tenant(CLUSTER)
    const fields = { host, port: cloud.port, username: USER, password, dbname: `${CLUSTER}.${DATABASE}` }
    secretsManager.secrets.create(SECRET, JSON.stringify(fields))
    const stage = new Stage({ cloud, secretsManager, code }, disposables.move())
    await stage.#unpack()
    return stage
  }

  /** Sets the delays from now on. */
  delay({ rttMs, secretMs }: Delays): void {
    this.cloud.delayMs = rttMs / 2
    this.secretsManager.delayMs = secretMs
  }

  /** A new execution environment of a subject; the caller ends it. */
  startEnvironment(
    subject: SubjectName | 'warm',
    options: { countsModules?: true; memoryMb?: number; nodeBinary?: string } = {},
  ): Promise<ExecutionEnvironment> {
    const knowsServer = subject !== 'warm' && subjectSource(subject).knowsServer
    return ExecutionEnvironment.start(
      {
        handler: 'index.handler',
        code: this.#code.folderOf(subject),
        layers: this.#layersOf(subject),
        environment: { COCKROACH_SECRET_ID: SECRET, ...(knowsServer && this.#serverVariables()) },
        timeoutSeconds: TIMEOUT_SECONDS,
        memoryMb: options.memoryMb ?? MEMORY_MB,
        runtime: 'nodejs24.x',
      },
      {
        // As Lambda's own start script has it; V8 then takes no compiled code of Node's own modules.
        execArgv: ['--expose-gc', `--require=${this.#code.names}`, `--import=${PRELOAD}`],
        ...(options.nodeBinary !== undefined && { nodeBinary: options.nodeBinary }),
        environment: {
          AWS_ENDPOINT_URL_SECRETS_MANAGER: this.secretsManager.url,
          NODE_EXTRA_CA_CERTS: join(this.#code.certificateLayer, 'certs/root.crt'),
          ...(options.countsModules && { BENCH_COUNTS_MODULES: '1' }),
        },
      },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disposables.disposeAsync()
  }

  #serverVariables(): Readonly<Record<string, string>> {
    const { host } = this.cloud.tenant(CLUSTER)
    return { PGHOST: host, PGPORT: String(this.cloud.port), PGUSER: USER, PGDATABASE: DATABASE }
  }

  #layersOf(subject: SubjectName | 'warm'): readonly string[] {
    if (subject === 'warm' || subjectSource(subject).usesLayer) return [LAYER, this.#code.certificateLayer]
    return []
  }

  /** Unpacks the code once, and not again for each cold start. */
  async #unpack(): Promise<void> {
    const folders: UnpackedFolder[] = []
    this.#disposables.defer(async () => {
      await Promise.all(folders.map((folder) => folder.release()))
    })
    for (const subject of [...MEMORY_SUBJECTS, 'warm'] as const) {
      folders.push(await unpack([this.#code.folderOf(subject)]), await unpack(this.#layersOf(subject)))
    }
  }
}
