/** Wraps a Lambda handler: connects during init, and makes the invocation's deadline known to every statement. */
import type { Writable } from 'node:stream'
import { monotonicNow } from './base/clock.ts'
import type { Database } from './database.ts'
import { runInvocation } from './lambda/deadline.ts'

/** The part of Lambda's context object that is used. */
export interface InvocationContext {
  readonly awsRequestId?: string
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number
}

/**
 * Lambda's context object as its documentation lists it: the type of `context` where the handler names none.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
 */
export interface LambdaContext extends InvocationContext {
  readonly functionName: string
  readonly functionVersion: string
  readonly invokedFunctionArn: string
  /** MB, as text. */
  readonly memoryLimitInMB: string
  readonly awsRequestId: string
  readonly logGroupName: string
  readonly logStreamName: string
  /** Of the Cognito user who called, through AWS's mobile SDK. */
  readonly identity?: unknown
  /** What AWS's mobile SDK tells of the calling application. */
  readonly clientContext?: unknown
  callbackWaitsForEmptyEventLoop: boolean
}

/** A handler with the database behind Lambda's two arguments. */
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

/**
 * Two parameters: Lambda would take a third one for a callback, which Node 24 refuses. A unit test passes what its
 * handler reads of the context, or none: there is no deadline then.
 */
export type LambdaHandler<Event, Context extends InvocationContext, Result> = (
  event: Event,
  context?: Partial<Context>,
) => Promise<Result>

/** What `withDatabase` makes of a streaming handler, for `awslambda.streamifyResponse()`. */
export type StreamingLambdaHandler<Event, Stream extends Writable, Context extends InvocationContext, Result> = (
  event: Event,
  responseStream: Stream,
  context?: Partial<Context>,
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
      now: monotonicNow(),
    }
    const passed = isStreaming ? [event, second, third, database] : [event, second, database]
    return runInvocation(time, async () => Reflect.apply(handler, undefined, passed))
  }
  // With the marks of `awslambda.streamifyResponse()`, if that wrapped the handler first.
  return Object.assign(wrapped, handler)
}
