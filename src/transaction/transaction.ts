/** Runs a unit of work in a transaction, and again from the start when the server aborted it. */
import type { DatabaseError } from 'pg'
import { type Backoff, fullJitterMs } from '../base/backoff.ts'
import { nameCallers } from '../base/caller.ts'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import { isDatabaseError } from '../base/database-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import { traced } from '../base/tracing.ts'
import { currentInvocation } from '../lambda/deadline.ts'
import type { DatabaseClient } from '../pool/client.ts'
import { callerOf, type Holder, holders } from '../pool/lease.ts'
import type { DatabasePool } from '../pool/pool.ts'
import { endsSession } from '../pool/statement-error.ts'
import { beginStatement, type TransactionOptions } from './options.ts'

const RETRY: Backoff = { baseMs: 20, capMs: 1000 }
const DEFAULT_MAX_ATTEMPTS = 10
/** Of a transaction's span; OpenTelemetry has no name for it. */
const RETRY_COUNT = 'cockroach_lambda.retry_count'

const SERIALIZATION_FAILURE = '40001'
const STATEMENT_COMPLETION_UNKNOWN = '40003'
const DEADLOCK_DETECTED = '40P01'
/** SQLSTATEs of a transaction that the server aborted and that can be run again. */
const ABORTED = [SERIALIZATION_FAILURE, DEADLOCK_DETECTED]

/**
 * The client of a transaction: a `pg.PoolClient`, until the transaction ends. So ORMs take it; `connect()`, `end()` and
 * `release()`, which their types ask for, throw `ERR_TRANSACTION`.
 */
export type TransactionClient = Omit<DatabaseClient, typeof Symbol.asyncDispose>

/** What a transaction needs of its database. */
export interface TransactionParts {
  readonly pool: DatabasePool
  readonly diagnostics: Diagnostics
  readonly clock: Clock
}

/** One run of the unit of work: how far it came, and what the server said on the way. */
interface Run extends Holder {
  readonly pool: DatabasePool
  isOpen: boolean
  stage: 'begin' | 'work' | 'commit'
  /** The first error of the server, whether or not `work` threw it. */
  refusal: DatabaseError | undefined
}

function misuse(message: string, hint: string, cause?: unknown): ConnectionError {
  return new ConnectionError('ERR_TRANSACTION', message, { hint, ...(cause !== undefined && { cause }) })
}

const NOT_HERE = ['release', 'end', 'connect']

/** The client for `work`: keeps the server's first error, and throws once the transaction has ended. */
function clientOf(client: DatabaseClient, run: Run): TransactionClient {
  const refuseOnceEnded = (): void => {
    if (run.isOpen) return
    throw misuse(
      'a client was used after its transaction had ended',
      'Await every statement inside the function given to transaction().',
    )
  }
  const query = (...args: unknown[]): unknown => {
    refuseOnceEnded()
    const callSite = callerOf(query, 'query()')
    const answer: unknown = Reflect.apply(client.query, client, args)
    if (answer instanceof Promise) {
      answer.catch((error: unknown) => {
        nameCallers(error, callSite)
        if (isDatabaseError(error)) run.refusal ??= error
      })
    }
    return answer
  }
  return new Proxy(client, {
    get(target, name) {
      refuseOnceEnded()
      if (typeof name === 'string' && NOT_HERE.includes(name)) {
        throw misuse(
          `${name}() was called on the client of a transaction`,
          'transaction() takes the client and releases it by itself.',
        )
      }
      if (name === 'query') return query
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The error and everything that it names as its cause. */
function* causes(error: unknown): Generator<unknown> {
  for (let current = error; current !== undefined && current !== null; ) {
    yield current
    current = current instanceof Error ? current.cause : undefined
  }
}

/** True when the transaction is known to have left nothing behind, and may succeed when it is run again. */
function isRepeatable(error: unknown, stage: Run['stage']): boolean {
  for (const cause of causes(error)) {
    if (isDatabaseError(cause) && cause.code !== undefined) {
      if (ABORTED.includes(cause.code)) return true
      if (stage !== 'commit' && endsSession(cause)) return true
    }
    if (cause instanceof ConnectionError && cause.code === 'ERR_CONNECTION_LOST')
      return stage !== 'commit' || cause.safeToRetry
  }
  return false
}

/** What became of a COMMIT that failed. */
function commitError(error: unknown): unknown {
  const isLost = error instanceof ConnectionError && !error.safeToRetry
  const code = isDatabaseError(error) ? (error.code ?? '') : ''
  // A session that ended during COMMIT: nobody knows which came first.
  if (!isLost && code !== STATEMENT_COMPLETION_UNKNOWN && !endsSession(error)) return error
  return new ConnectionError(
    'ERR_COMMIT_AMBIGUOUS',
    'the connection was lost during COMMIT: the transaction may have been committed',
    {
      cause: error,
      hint: 'Look whether the change is there before you do it again.',
    },
  )
}

async function commit(client: DatabaseClient, run: Run): Promise<void> {
  // What `work` left behind sends nothing from here on: it would be outside the transaction.
  run.isOpen = false
  if (client.getTransactionStatus() === 'I') {
    throw misuse('the transaction was ended inside transaction()', 'Leave BEGIN, COMMIT and ROLLBACK to transaction().')
  }
  if (client.isStreaming) {
    throw misuse(
      'a cursor or a stream was still open at COMMIT',
      'Read it to its end, or close it, inside the function given to transaction().',
    )
  }
  run.stage = 'commit'
  const { command } = await client.query('COMMIT').catch((error: unknown) => {
    throw commitError(error)
  })
  if (command === 'COMMIT') return
  throw misuse(
    'the server rolled the transaction back at COMMIT: a statement in it had failed',
    'Do not catch the error of a statement inside transaction() without throwing it again; use a savepoint.',
    run.refusal,
  )
}

/** Ends an open transaction; a client that cannot do that is destroyed. */
async function rollBack(client: DatabaseClient): Promise<void> {
  if (client.getTransactionStatus() === 'I') return
  // ROLLBACK would wait for the end of an open cursor or stream, whose reader is gone.
  if (client.isStreaming) client.destroy()
  else await client.query('ROLLBACK').catch(() => client.destroy())
}

async function runOnce<Result>(
  begin: string,
  work: (client: TransactionClient) => Promise<Result>,
  run: Run,
): Promise<Result> {
  const client = await run.pool.take(undefined, run)
  try {
    await client.query(begin)
    run.stage = 'work'
    run.isOpen = true
    const result = await work(clientOf(client, run))
    await commit(client, run)
    return result
  } catch (error) {
    run.isOpen = false
    await rollBack(client)
    throw error
  } finally {
    client.release()
  }
}

/**
 * BEGIN, `work(client)`, COMMIT; the whole unit again, with full jitter and inside the invocation's deadline, when the
 * server aborted it (40001, 40P01) or the connection was lost before COMMIT was sent.
 *
 * @throws ConnectionError `ERR_COMMIT_AMBIGUOUS` (never repeated), `ERR_TRANSACTION` for misuse and for a swallowed error,
 * everything that `query()` throws; and whatever `work` throws.
 * @see https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference
 */
export async function runTransaction<Result>(
  { pool, diagnostics, clock }: TransactionParts,
  work: (client: TransactionClient) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  const begin = beginStatement(options)
  const maxAttempts = options.maxAttempts ?? DEFAULT_MAX_ATTEMPTS
  const outer = holders.getStore() ?? []
  if (outer.some((holder) => holder.pool === pool && holder.isOpen)) {
    throw misuse('transaction() was called inside transaction()', 'Pass the client on instead, or use a savepoint.')
  }
  const attributes = { [RETRY_COUNT]: 0 }
  const runUntilDone = async (): Promise<Result> => {
    for (let attempt = 0; ; attempt += 1) {
      attributes[RETRY_COUNT] = attempt
      const run: Run = { pool, isOpen: false, stage: 'begin', refusal: undefined }
      try {
        return await holders.run([...outer, run], () => runOnce(begin, work, run))
      } catch (error) {
        // Those of `work` name the line in it.
        if (run.stage !== 'work') nameCallers(error)
        const retryInMs = fullJitterMs(attempt, RETRY, clock.random)
        const isInTime =
          clock.monotonicNow() + retryInMs < (currentInvocation()?.deadlineAt ?? Number.POSITIVE_INFINITY)
        if (attempt + 1 >= maxAttempts || !isInTime || !isRepeatable(error, run.stage)) throw error
        const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
        diagnostics.publish('retry', { code, attempt, retryInMs })
        await clock.sleep(retryInMs)
      }
    }
  }
  // Awaited, for the callers in the stack of an error.
  return await traced('transaction', () => ({ name: 'transaction', attributes }), runUntilDone)
}
