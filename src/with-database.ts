/** Wraps a Lambda handler: connects during init, and makes the invocation's deadline known to every statement. */
import type { Writable } from 'node:stream'
import type { Database } from './database.ts'
import { runInvocation } from './lambda/deadline.ts'

/** The part of Lambda's context object that is used. */
export interface InvocationContext {
  readonly awsRequestId?: string
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number
}

export type DatabaseHandler<Event, Context extends InvocationContext, Result> = (
  event: Event,
  context: Context,
  db: Database,
) => Promise<Result> | Result

/** A handler for `awslambda.streamifyResponse()`, with the database behind Lambda's three arguments. */
export type StreamingDatabaseHandler<Event, Stream extends Writable, Context extends InvocationContext, Result> = (
  event: Event,
  responseStream: Stream,
  context: Context,
  db: Database,
) => Promise<Result> | Result

/** Two parameters: Lambda would take a third one for a callback, which Node 24 refuses. Without context there is no deadline. */
export type LambdaHandler<Event, Context extends InvocationContext, Result> = (
  event: Event,
  context?: Context,
) => Promise<Result>

export type StreamingLambdaHandler<Event, Stream extends Writable, Context extends InvocationContext, Result> = (
  event: Event,
  responseStream: Stream,
  context?: Context,
) => Promise<Result>

/** A handler of either kind. */
export type AnyDatabaseHandler = (...passed: never[]) => unknown

/** Wraps `handler` for this database; connecting starts now, beside the rest of the init phase. */
export function wrapHandler(
  database: Database,
  handler: AnyDatabaseHandler,
): (...passed: unknown[]) => Promise<unknown> {
  void database.warmUp()
  const wrapped = async (event: unknown, second: unknown, ...[third]: unknown[]): Promise<unknown> => {
    // Not by the number of arguments: a callback or a middleware's own may come third.
    const isStreaming = typeof Object(second).write === 'function'
    const context: Partial<InvocationContext> = Object(isStreaming ? third : second)
    const time = {
      awsRequestId: context.awsRequestId,
      remainingMs: typeof context.getRemainingTimeInMillis === 'function' && context.getRemainingTimeInMillis(),
      marginMs: database.deadlineMarginMs,
      now: performance.now(),
    }
    const passed = isStreaming ? [event, second, third, database] : [event, second, database]
    return runInvocation(time, async () => Reflect.apply(handler, undefined, passed))
  }
  // With the marks of `awslambda.streamifyResponse()`, if that wrapped the handler first.
  return Object.assign(wrapped, handler)
}
