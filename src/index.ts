/** The public API: the functions of one default database, made on first use, and the means to make more of them. */
import type { Writable } from 'node:stream'
import { Database } from './database.ts'
import type { DatabaseOptions } from './settings/database-options.ts'
import {
  type AnyDatabaseHandler,
  type DatabaseHandler,
  type InvocationContext,
  type LambdaContext,
  type LambdaHandler,
  type StreamingDatabaseHandler,
  type StreamingLambdaHandler,
  wrapHandler,
} from './with-database.ts'

export { ConnectionError, type ConnectionErrorCode, type ConnectionErrorOptions } from './base/connection-error.ts'
export type { DiagnosticMessages } from './base/diagnostics.ts'
export type { TracedOperation } from './base/tracing.ts'
export type { Database, Query, QueryOptions } from './database.ts'
export type { CertificateReport, HealthReport } from './health-check.ts'
export type { CheckedOutClient } from './pool/client.ts'
export type { DatabasePool } from './pool/pool.ts'
export type { DatabaseOptions } from './settings/database-options.ts'
export type { TransactionOptions } from './transaction/options.ts'
export type { TransactionClient } from './transaction/transaction.ts'
export type {
  DatabaseHandler,
  InvocationContext,
  LambdaContext,
  LambdaHandler,
  StreamingDatabaseHandler,
  StreamingLambdaHandler,
} from './with-database.ts'

const defaultDatabase = new Database({})

/** Runs one statement on the environment's pool, and returns pg's result. */
export const query = defaultDatabase.query

/**
 * BEGIN, `work(client)`, COMMIT; the whole unit again when the server aborted it, or when the connection was lost before
 * COMMIT was sent: `work` may run several times. Returns what `work` returns; what it throws rolls back.
 *
 * @throws ConnectionError `ERR_COMMIT_AMBIGUOUS`, `ERR_TRANSACTION`, and everything that `query()` throws.
 * @see https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference
 */
export const transaction = defaultDatabase.transaction

/**
 * Returns a connected, checked client, the same one across warm invocations: `await using client = await getClient()`
 * gives it back at the end of the block, or `client.release()` does, in a `finally` block.
 *
 * @throws ConnectionError: everything that connecting may throw, and `ERR_CLIENT_NOT_RELEASED`.
 * @see https://node-postgres.com/apis/client
 */
export const getClient = defaultDatabase.getClient

/**
 * Returns the pool, an instance of the function's own `pg.Pool`, for query builders and ORMs. Leave it open between
 * invocations: no `end()`.
 *
 * @throws ConnectionError `ERR_CONFIG` for wrong settings.
 * @see https://node-postgres.com/apis/pool
 */
export const getPool = defaultDatabase.getPool

/**
 * Returns the connection string for any libpq-like client, with `sslmode=verify-full` and the path of the root
 * certificate. It holds the password: pass it to the client, and print it nowhere.
 *
 * @throws ConnectionError `ERR_CONFIG`, `ERR_SECRET_UNAVAILABLE`, `ERR_SECRET_INVALID`, `ERR_ROUTING`, `ERR_TLS`.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 */
export const connectionString = defaultDatabase.connectionString

/** Takes a connection, runs `select 1`, and returns a report; it never throws, and the report holds no secret. */
export const healthCheck = defaultDatabase.healthCheck

/**
 * Connects during init, and waits for it, 3 s at most: `await ready()` at the end of an ES module, `exports.then = ready`
 * in CommonJS, `export { ready as then } from 'cockroach-lambda'` in TypeScript. It never throws: the first statement
 * tries again, and reports.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html#top-level-await
 */
export const ready = defaultDatabase.ready

/** Ends the pool: for scripts and containers, not between invocations. The next use opens a new one. */
export const close = defaultDatabase.close

/**
 * Returns the same set of functions for another database. Call it once, outside the handler; it connects at first use,
 * which is also where wrong options throw `ERR_CONFIG`.
 */
export function createDatabase(options: DatabaseOptions = {}): Database {
  return new Database(options)
}

/**
 * Wraps a Lambda handler. Connecting starts during init; the handler gets `db` as its last argument: the third one, or
 * the fourth one for `awslambda.streamifyResponse()` (annotate all four there: their types are not inferred). Statements
 * end before the invocation's deadline with `ERR_DEADLINE`. Without options, `db` is the database of `query()`. In
 * TypeScript, annotate `event`, or name two types: `withDatabase<Event, Result>(…)`; `context` is Lambda's then.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export function withDatabase<Event, Context extends InvocationContext = LambdaContext, Result = unknown>(
  handler: DatabaseHandler<Event, Context, Result>,
  options?: DatabaseOptions,
): LambdaHandler<Event, Context, Result>
export function withDatabase<Event, Result>(
  handler: DatabaseHandler<Event, LambdaContext, Result>,
  options?: DatabaseOptions,
): LambdaHandler<Event, LambdaContext, Result>
export function withDatabase<Event, Stream extends Writable, Context extends InvocationContext, Result>(
  handler: StreamingDatabaseHandler<Event, Stream, Context, Result>,
  options?: DatabaseOptions,
): StreamingLambdaHandler<Event, Stream, Context, Result>
export function withDatabase<Event, Context extends InvocationContext, Result>(
  handler: (event: Event, context?: Context) => Promise<Result> | Result,
  options?: DatabaseOptions,
): LambdaHandler<Event, Context, Result>
export function withDatabase(
  handler: AnyDatabaseHandler,
  options?: DatabaseOptions,
): (...passed: unknown[]) => Promise<unknown> {
  return wrapHandler(options === undefined ? defaultDatabase : createDatabase(options), handler)
}
