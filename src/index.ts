/** The public API: the functions of one default database, made on first use, and the means to make more of them. */
import type { Writable } from 'node:stream'
import { Database } from './database.ts'
import type { DatabaseOptions } from './settings/database-options.ts'
import {
  type AnyDatabaseHandler,
  type DatabaseHandler,
  type InvocationContext,
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
  LambdaHandler,
  StreamingDatabaseHandler,
  StreamingLambdaHandler,
} from './with-database.ts'

const defaultDatabase = new Database({})

export const { query, transaction, getClient, getPool, connectionString, healthCheck, ready, close } = defaultDatabase

/** The same set of functions for another database; one for each set of options is enough for an environment. */
export function createDatabase(options: DatabaseOptions = {}): Database {
  return new Database(options)
}

/**
 * Wraps a Lambda handler. Connecting starts during init; the handler gets `db` as its last argument: the third one, or
 * the fourth one for `awslambda.streamifyResponse()` (annotate all four there: their types are not inferred). Statements
 * end before the invocation's deadline with `ERR_DEADLINE`. Without options, `db` is the database of `query()`.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
export function withDatabase<Event, Context extends InvocationContext, Result>(
  handler: DatabaseHandler<Event, Context, Result>,
  options?: DatabaseOptions,
): LambdaHandler<Event, Context, Result>
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
