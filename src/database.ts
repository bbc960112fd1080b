/** One database: the functions of this package, over one pool that is made on first use. */
import type { QueryArrayConfig, QueryArrayResult, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import { type Clock, SYSTEM_CLOCK } from './base/clock.ts'
import { refuseUnknownOptions, wrongOption } from './base/options.ts'
import { clientCertificatePaths, rootCertificatePath } from './connection/certificate-files.ts'
import { buildConnectionString } from './connection-string/parse.ts'
import { checkHealth, type HealthReport } from './health-check.ts'
import { type Ready, readyAfter, waitFor } from './lambda/init.ts'
import { OpenDatabase } from './open-database.ts'
import type { CheckedOutClient } from './pool/client.ts'
import { callerOf } from './pool/lease.ts'
import type { DatabasePool } from './pool/pool.ts'
import { mayBeRepeated } from './pool/statement-error.ts'
import type { DatabaseOptions } from './settings/database-options.ts'
import { DEFAULT_DEADLINE_MARGIN_MS } from './settings/settings.ts'
import type { TransactionOptions } from './transaction/options.ts'
import { runTransaction, type TransactionClient } from './transaction/transaction.ts'

export interface QueryOptions {
  /** The statement may run twice without harm: it is sent again when the connection breaks under it. @default false */
  readonly idempotent?: boolean
}

/** `query()`: rows are objects, or arrays with `rowMode: 'array'`. */
export interface Query {
  /** Runs one statement whose rows are arrays; else as `query(text, values)`. */
  <Row extends unknown[] = unknown[]>(
    config: QueryArrayConfig,
    values?: unknown[],
    options?: QueryOptions,
  ): Promise<QueryArrayResult<Row>>
  /**
   * Runs one statement on the environment's pool.
   *
   * @param values of `$1`, `$2`, …
   * @returns pg's result: `rows`, `rowCount`, `fields`, `command`
   * @throws pg's `DatabaseError` for what the server answers; ConnectionError `ERR_CONNECTION_LOST` when the connection
   * broke under it (never sent again, unless `idempotent`), `ERR_DEADLINE`, `ERR_CONFIG` for unknown options, and
   * everything that connecting may throw.
   * @see https://node-postgres.com/features/queries
   */
  <Row extends QueryResultRow = QueryResultRow>(
    text: string | QueryConfig,
    values?: unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>>
}

/** @throws ConnectionError `ERR_CONFIG` for unknown or unusable options. */
function isIdempotent(options: QueryOptions): boolean {
  refuseUnknownOptions(options, ['idempotent'], 'query()')
  const { idempotent = false } = options
  if (typeof idempotent === 'boolean') return idempotent
  throw wrongOption('query()', `idempotent is a ${typeof idempotent}; expected true or false`)
}

export class Database {
  readonly #options: DatabaseOptions
  readonly #clock: Clock
  /** Made on first use, so that importing the module reads nothing and fails at nothing; and anew after `close()` and `pool.end()`. */
  #open: OpenDatabase | undefined

  /** @internal use `createDatabase()` */
  constructor(options: DatabaseOptions, clock: Clock = SYSTEM_CLOCK) {
    this.#options = options
    this.#clock = clock
  }

  get #opened(): OpenDatabase {
    if (this.#open === undefined || this.#open.isEnded) this.#open = new OpenDatabase(this.#options, this.#clock)
    return this.#open
  }

  /** Milliseconds kept free before an invocation's deadline. */
  get deadlineMarginMs(): number {
    try {
      return this.#opened.settings.deadlineMarginMs
    } catch {
      // The first statement reports wrong settings, and so does `healthCheck()`: the handler must run for that.
      return DEFAULT_DEADLINE_MARGIN_MS
    }
  }

  /** Runs one statement on the environment's pool, and returns pg's result. */
  query = (async (text: string | QueryConfig, values?: unknown[], options?: QueryOptions) => {
    const isRepeatable = options !== undefined && isIdempotent(options)
    const { pool } = this.#opened
    try {
      return await pool.run(text, values)
    } catch (error) {
      if (!mayBeRepeated(error, isRepeatable)) throw error
      return await pool.run(text, values)
    }
  }) as Query

  /**
   * BEGIN, `work(client)`, COMMIT; the whole unit again when the server aborted it or the connection was lost before
   * COMMIT was sent.
   *
   * @throws ConnectionError `ERR_COMMIT_AMBIGUOUS`, `ERR_TRANSACTION`, and everything that `query()` throws.
   */
  transaction = <Result>(
    work: (client: TransactionClient) => Promise<Result>,
    options?: TransactionOptions,
  ): Promise<Result> => {
    const { pool, diagnostics } = this.#opened
    return runTransaction({ pool, diagnostics, clock: this.#clock }, work, options)
  }

  /**
   * A connected, checked client: the same one across warm invocations. Give it back with `release()`, or take it with
   * `await using`.
   *
   * @throws ConnectionError: everything that connecting may throw, and `ERR_CLIENT_NOT_RELEASED`.
   */
  getClient = (): Promise<CheckedOutClient> => this.#opened.pool.take(callerOf(this.getClient, 'getClient()'))

  /**
   * The pool itself, an instance of the function's own `pg.Pool`, for query builders and ORMs. Leave it open between
   * invocations: no `end()`.
   *
   * @throws ConnectionError `ERR_CONFIG` for wrong settings.
   */
  getPool = (): DatabasePool => this.#opened.pool

  /**
   * The connection string for any libpq-like client, with `sslmode=verify-full` and the paths of the
   * certificates: text is written to private files, which are removed when the process ends.
   * It holds the password: pass it to the client, and print it nowhere.
   *
   * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
   */
  connectionString = async (): Promise<string> => {
    const { source, diagnostics } = this.#opened
    const connection = await source.withPassword(await source.current())
    const { parameters, password, passwordKind, rootCertificate, clientCertificate } = connection
    if (passwordKind !== undefined) {
      diagnostics.warn(
        'connection-string',
        'connectionString() has a password that was made for one login, and may last minutes',
      )
    }
    const sslrootcert = parameters.sslmode === 'disable' ? undefined : rootCertificatePath(rootCertificate)
    const clientPaths = clientCertificate && clientCertificatePaths(clientCertificate)
    const { cluster, auth, ...fields } = parameters
    return buildConnectionString({
      ...fields,
      ...(password !== undefined && { password }),
      ...(sslrootcert !== undefined && { sslrootcert }),
      ...clientPaths,
    })
  }

  /** Takes a connection, runs `select 1`, and reports; never throws, and the report holds no secret. */
  healthCheck = (): Promise<HealthReport> => checkHealth(this.getPool, this.#clock)

  /** Ends the pool; idle connections are closed, lent ones when they come back. The next use opens a new pool. */
  close = async (): Promise<void> => {
    const open = this.#open
    this.#open = undefined
    await open?.close()
  }

  /**
   * Waits until a connection is open, while Lambda's init phase runs: `await ready()` at the top of an ES module, or
   * `export { ready as then } from 'cockroach-lambda'` in one that is compiled to CommonJS. At most `readyTimeoutMs`, and
   * never as long as to make init fail; the attempt goes on then. Never throws: the first statement tries again, and
   * reports. Before a SnapStart snapshot, no connection is opened and no secret is read.
   *
   * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html#top-level-await
   */
  readonly ready: Ready = readyAfter(async () => {
    try {
      const open = this.#opened
      const { platform, readyTimeoutMs } = open.settings
      open.isAwaited = readyTimeoutMs > 0
      await waitFor(open.warmUp(), readyTimeoutMs, platform)
    } catch {
      // Wrong settings, which the first statement reports.
    }
  })

  /** Opens a connection ahead of its use; the first statement reports what goes wrong. */
  warmUp = async (): Promise<void> => {
    try {
      const open = this.#opened
      const opening = open.warmUp()
      void open.prepareInInit()
      await opening
    } catch {
      // Not cached: the first use tries again, and reports.
    }
  }
}
