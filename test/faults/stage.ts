/** What a row needs for one subject: function, stand-ins, a ledger in the database, and the tally of what callers see. */

import { randomBytes, randomUUID } from 'node:crypto'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type CertificateAuthority, createCertificateAuthority } from '../../local/certificates.ts'
import { CloudStandIn } from '../../local/cloud/stand-in.ts'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../../local/lambda/execution-environment.ts'
import type { LambdaRuntime } from '../../local/lambda/function-definition.ts'
import type { InvocationResult } from '../../local/lambda/invocation-result.ts'
import { PostgresAdmin, type Session, type SuperuserConfig } from '../../local/postgres/admin.ts'
import { PostgresServer } from '../../local/postgres/server.ts'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { startTokenLogin, type TokenLogin } from '../support/token-login.ts'
import type { StageSettings } from './stage-settings.ts'
import type { SubjectCode, SubjectName } from './subject-code.ts'
import type { FaultAnswer, FaultEvent } from './subjects/operations.ts'
import { countError, newTally } from './tally.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const PRELOADS = [join(REPOSITORY, 'local/loopback/names-preload.ts'), join(import.meta.dirname, 'clock-preload.mjs')]
const CLUSTER = 'cozy-otter-4821'
const SECRET = 'faults/db'
const MEMORY_MB = 512
/** Lambda counts a little after the function's own clock; an answer that is this late is not a hang. */
const GRACE_MS = 250
const DEFAULT_TIMEOUT_SECONDS = 4
const LOOK_AGAIN_MS = 15

/** Where a row sets none, nothing waits for the time-out; on a busy machine a process gets a part of a processor only. */
function defaultTimeoutSeconds(): number {
  const load = (loadavg()[0] ?? 0) / availableParallelism()
  return Math.ceil(DEFAULT_TIMEOUT_SECONDS * Math.max(1, load / 2))
}

export interface StageOptions {
  readonly subject: SubjectName
  readonly code: SubjectCode
  readonly postgres: SuperuserConfig
  readonly settings: StageSettings
  readonly random: () => number
  /** The runtime of all environments, such as AWS's own client. @default the runner's, for nodejs24.x */
  readonly launch?: StageLaunch
}

export interface StageLaunch extends Pick<ExecutionEnvironmentOptions, 'bootstrap' | 'nodeBinary'> {
  readonly runtime: LambdaRuntime
}

export interface StageEnvironmentOptions extends ExecutionEnvironmentOptions {
  /** Another than the row's. */
  readonly handler?: string
  /** The folder of another function, on the layer. */
  readonly code?: string
}

/** Creates the ledger, in which writes are counted, and the accounts of row 9. */
const TABLES = `
  create table ledger (id text not null, at timestamptz not null default clock_timestamp());
  create table account (id int primary key, balance int not null);
  insert into account select id, 100 from generate_series(1, 10) id;
  grant all on ledger, account to public;`

export class Stage {
  readonly subject: SubjectName
  readonly cloud: CloudStandIn
  /** The authority that issued the stand-in's certificate, and that the function trusts. */
  readonly authority: CertificateAuthority
  readonly postgres: PostgresAdmin
  /** Set where the row asked for a PostgreSQL of its own. */
  readonly ownPostgres: PostgresServer | undefined
  readonly secretsManager: SecretsManagerStandIn
  readonly random: () => number
  readonly database: string
  readonly user: string
  readonly tally = newTally()
  /** What went wrong while the row injected its fault, one sentence each. */
  readonly findings: string[] = []
  /** Lines to show below the table. */
  readonly notes: string[] = []
  readonly #tokenLogin: TokenLogin | undefined
  readonly #secretFields: Readonly<Record<string, unknown>>
  readonly #passwords: string[]
  /** Ids of the ledger whose writes were acknowledged. */
  readonly #acknowledged = new Set<string>()
  readonly #environments: ExecutionEnvironment[] = []
  readonly #shared: Promise<ExecutionEnvironment>[] = []
  readonly #options: StageOptions
  readonly #timeoutSeconds: number
  readonly #disposables: AsyncDisposableStack

  private constructor(
    options: StageOptions,
    parts: Pick<Stage, 'cloud' | 'authority' | 'postgres' | 'ownPostgres' | 'secretsManager' | 'database' | 'user'> & {
      password: string
      secretFields: Readonly<Record<string, unknown>>
      tokenLogin: TokenLogin | undefined
    },
    disposables: AsyncDisposableStack,
  ) {
    this.subject = options.subject
    this.random = options.random
    this.cloud = parts.cloud
    this.authority = parts.authority
    this.postgres = parts.postgres
    this.ownPostgres = parts.ownPostgres
    this.secretsManager = parts.secretsManager
    this.database = parts.database
    this.user = parts.user
    this.#passwords = [parts.password]
    this.#secretFields = parts.secretFields
    this.#tokenLogin = parts.tokenLogin
    this.#options = options
    this.#timeoutSeconds = options.settings.timeoutSeconds ?? defaultTimeoutSeconds()
    this.#disposables = disposables
  }

  static async open(options: StageOptions): Promise<Stage> {
    await using disposables = new AsyncDisposableStack()
    const { settings } = options
    const ownPostgres =
      settings.ownPostgres === undefined
        ? undefined
        : disposables.use(await PostgresServer.start({ settings: settings.ownPostgres }))
    const postgres = ownPostgres ?? new PostgresAdmin(options.postgres)
    const suffix = randomBytes(6).toString('hex')
    const [database, user, password] = [`faults_${suffix}`, `faults_${suffix}`, `pw-${randomBytes(15).toString('hex')}`]
    await postgres.createDatabase(database)
    await postgres.createUser(user, password)
    if (ownPostgres === undefined) {
      disposables.defer(async () => {
        await postgres.dropDatabase(database)
        await postgres.dropUser(user)
      })
    }
    await postgres.query(TABLES, [], database)
    const authority = settings.cloud?.authority ?? (await createCertificateAuthority('Stand-in Root CA'))
    const cloud = disposables.use(
      await CloudStandIn.start({
        postgres: { port: postgres.superuserConfig().port },
        tenants: [{ cluster: CLUSTER, databases: { defaultdb: database } }],
        ...settings.cloud,
        authority,
      }),
    )
    const secretsManager = disposables.use(await SecretsManagerStandIn.start())
    const { host } = cloud.tenant(CLUSTER)
    const secretFields = {
      host,
      port: cloud.port,
      username: user,
      password,
      dbname: 'defaultdb',
      sslrootcert: authority.certificate,
    }
    secretsManager.secrets.create(SECRET, JSON.stringify(secretFields))
    const tokenLogin =
      settings.auth === 'jwt' ? await startTokenLogin({ cloud, postgres, audience: host, user, password }) : undefined
    disposables.defer(() => tokenLogin?.sts.stop())
    const parts = { cloud, authority, postgres, ownPostgres, secretsManager, database, user, password, secretFields }
    return new Stage(options, { ...parts, tokenLogin }, disposables.move())
  }

  /** @throws Error where the row did not ask for logins by token */
  get tokenLogin(): TokenLogin {
    if (this.#tokenLogin === undefined) throw new Error('the row has no auth')
    return this.#tokenLogin
  }

  /** What the function's variables name: the secret, or the server that admits its role. */
  get #variables(): Readonly<Record<string, string>> {
    if (this.#tokenLogin === undefined) return { COCKROACH_SECRET_ID: SECRET }
    return {
      ...{ COCKROACH_AUTH: 'jwt', PGHOST: this.cloud.tenant(CLUSTER).host, PGPORT: String(this.cloud.port) },
      ...{ PGUSER: this.user, PGDATABASE: 'defaultdb', PGSSLROOTCERT: this.authority.certificate },
    }
  }

  /** The secret's text with these fields changed; Secrets Manager's copy stays as it is. */
  secretText(changes: Readonly<Record<string, unknown>> = {}): string {
    return JSON.stringify({ ...this.#secretFields, ...changes })
  }

  /** Name of the secret. */
  get secretId(): string {
    return SECRET
  }

  /** Changes the user's password at the server, and not in the secret. */
  async changePassword(password: string): Promise<void> {
    await this.postgres.changePassword(this.user, password)
    this.#passwords.push(password)
  }

  /** How long Lambda lets an invocation run. */
  get timeoutMs(): number {
    return this.#timeoutSeconds * 1000
  }

  /** True when the text names the function's user or one of its passwords. */
  isSecretIn(text: string): boolean {
    return [this.user, ...this.#passwords].some((secret) => text.includes(secret))
  }

  /** Checks until the condition holds; false when it does not within `limitMs`. */
  async until(holds: () => boolean | Promise<boolean>, limitMs = 2000): Promise<boolean> {
    const endAt = performance.now() + limitMs
    while (!(await holds())) {
      if (performance.now() > endAt) return false
      await sleep(LOOK_AGAIN_MS)
    }
    return true
  }

  /** The same for the sessions that the function has at the server. */
  untilSessions(hold: (sessions: readonly Session[]) => boolean, limitMs?: number): Promise<boolean> {
    return this.until(async () => hold(await this.sessions()), limitMs)
  }

  /** The sessions that the function has at the server. */
  sessions(): Promise<readonly Session[]> {
    return this.postgres.sessions({ user: this.user })
  }

  /** A new execution environment of the function; the stage ends it. */
  async startEnvironment(options: StageEnvironmentOptions = {}): Promise<ExecutionEnvironment> {
    const { settings, code, subject, launch } = this.#options
    const environment = await ExecutionEnvironment.start(
      {
        handler: options.handler ?? settings.handler ?? 'index.handler',
        code: options.code ?? code.folderOf(subject),
        layers: [
          ...(subject === 'cockroach-lambda' || options.code !== undefined ? [LAYER] : []),
          ...(settings.layers ?? []),
        ],
        environment: { ...this.#variables, ...settings.environment },
        timeoutSeconds: this.#timeoutSeconds,
        memoryMb: MEMORY_MB,
        runtime: launch?.runtime ?? 'nodejs24.x',
      },
      {
        ...launch,
        ...options,
        execArgv: [...PRELOADS.map((path) => `--import=${path}`), ...(options.execArgv ?? [])],
        environment: {
          AWS_ENDPOINT_URL_SECRETS_MANAGER: this.secretsManager.url,
          ...(this.#tokenLogin && { AWS_ENDPOINT_URL_STS: this.#tokenLogin.sts.url }),
          ...options.environment,
        },
      },
    )
    this.#environments.push(environment)
    return environment
  }

  /** One environment for all injections, as a busy function has. */
  async sharedEnvironment(): Promise<ExecutionEnvironment> {
    const [environment] = await this.sharedEnvironments(1)
    if (environment === undefined) throw new Error('no environment was started')
    return environment
  }

  /** Several of them, as a function under load has. */
  sharedEnvironments(count: number): Promise<ExecutionEnvironment[]> {
    while (this.#shared.length < count) this.#shared.push(this.startEnvironment())
    return Promise.all(this.#shared.slice(0, count))
  }

  /** Invokes, counts, and checks for what must never happen. */
  async invoke(environment: ExecutionEnvironment, event: FaultEvent): Promise<FaultAnswer | undefined> {
    const result = await environment.invoke(event)
    this.tally.calls += 1
    this.tally.slowestMs = Math.max(this.tally.slowestMs, result.ms)
    const answer = this.#judge(result)
    if (answer?.ok) this.tally.answered += 1
    else countError(this.tally, answer?.error.code ?? result.error?.errorType ?? 'unknown')
    return answer
  }

  /** Writes one line of the ledger; the answer is recorded for `audit()`. */
  async write(
    environment: ExecutionEnvironment,
    changes: { advanceMs?: number; inTransaction?: boolean; text?: string; idempotent?: boolean } = {},
  ): Promise<FaultAnswer | undefined> {
    const { inTransaction = false, ...rest } = changes
    const id = randomUUID()
    const event: FaultEvent = { op: inTransaction ? 'writeInTransaction' : 'write', id, ...rest }
    const answer = await this.invoke(environment, event)
    if (answer?.ok) this.#acknowledged.add(id)
    return answer
  }

  /** Records a write that was made with another event. */
  acknowledge(id: string): void {
    this.#acknowledged.add(id)
  }

  /** True when the ledger has this line. */
  async isWritten(id: string): Promise<boolean> {
    return (await this.postgres.query('select from ledger where id = $1', [id], this.database)).length > 0
  }

  /** How many lines the ledger has. */
  async ledgerSize(): Promise<number> {
    const [row] = await this.postgres.query<{ count: number }>(
      'select count(*)::int as count from ledger',
      [],
      this.database,
    )
    return row?.count ?? 0
  }

  /** Compares the ledger with the answers, and looks for the password in all output. */
  async audit(): Promise<void> {
    const rows = await this.postgres.query<{ id: string; copies: number }>(
      'select id, count(*)::int as copies from ledger group by id',
      [],
      this.database,
    )
    this.tally.duplicatedWrites = rows.filter(({ copies }) => copies > 1).length
    const held = new Set(rows.map(({ id }) => id))
    this.tally.lostWrites = [...this.#acknowledged].filter((id) => !held.has(id)).length
    for (const { output } of this.#environments) {
      const secrets = [...this.#passwords, ...(this.#tokenLogin?.sts.tokens ?? [])]
      if (secrets.some((secret) => output.includes(secret))) this.tally.violations.push('the password was printed')
      if (/Unhandled|Uncaught/i.test(output)) this.tally.violations.push('an error was not caught')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#environments.map((environment) => environment.shutdown()))
    await this.#disposables.disposeAsync()
  }

  #judge({ ok, payload, error, timedOut, ms }: InvocationResult): FaultAnswer | undefined {
    if (timedOut || ms > this.timeoutMs + GRACE_MS) this.tally.violations.push('a call hung past the deadline')
    else if (!ok) this.tally.violations.push(`the process ended: ${error?.errorType}`)
    // Sound: `operate()` makes every payload.
    return ok ? (payload as FaultAnswer) : undefined
  }
}
