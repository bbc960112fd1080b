/** Wraps a Lambda handler: connects during init, and makes the invocation's deadline known to every statement. */
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

/** Two parameters: a third one would be a callback to Lambda, which Node 24 refuses. */
export type LambdaHandler<Event, Context extends InvocationContext, Result> = (
  event: Event,
  context: Context,
) => Promise<Result>

/** Wraps `handler` for this database; connecting starts now, beside the rest of the init phase. */
export function wrapHandler<Event, Context extends InvocationContext, Result>(
  database: Database,
  handler: DatabaseHandler<Event, Context, Result>,
): LambdaHandler<Event, Context, Result> {
  void database.warmUp()
  return async (event, context) => {
    const time = {
      awsRequestId: context.awsRequestId,
      remainingMs: context.getRemainingTimeInMillis(),
      marginMs: database.deadlineMarginMs,
      now: performance.now(),
    }
    return runInvocation(time, async () => handler(event, context, database))
  }
}
