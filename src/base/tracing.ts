/** Reports operations that take time: on Node's tracing channels, and as OpenTelemetry spans. */
import { type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import { isDatabaseError } from './database-error.ts'
import { inSpan, type OperationAttributes, registeredTracer } from './spans.ts'

/** The messages on the channels `tracing:cockroach-lambda:<name>:start`, `:end`, `:asyncStart`, `:asyncEnd` and `:error`. */
export interface TracedOperation {
  /** The name of the span. */
  readonly name: string
  /** With those of an error once there is one: `error.type`, and an SQLSTATE as `db.response.status_code`. */
  readonly attributes: OperationAttributes
  /** What the caller gets: unlike the attributes, its text may quote a value of a statement. */
  readonly error?: unknown
}

const channelOf = (name: string): TracingChannel<unknown, TracedOperation> => tracingChannel(`cockroach-lambda:${name}`)

const CHANNELS = {
  statement: channelOf('statement'),
  transaction: channelOf('transaction'),
  connect: channelOf('connect'),
  secret: channelOf('secret'),
}

/** OpenTelemetry's numbers: a transaction is not one request to another program, as the others are. */
const SPAN_KINDS = { transaction: 0, statement: 2, connect: 2, secret: 2 }

/** A code that looks like one: an error of the function's own may have anything there. */
const CODE = /^\w{1,64}$/

function addError(attributes: OperationAttributes, error: unknown): void {
  const { code, name, cause } = Object(error)
  attributes['error.type'] = CODE.test(code) ? code : name
  attributes['db.response.status_code'] = [error, cause].find(isDatabaseError)?.code
}

/**
 * Does `work`, and reports it if anybody listens; costs nothing otherwise.
 *
 * @param describe called only if somebody does
 * @param hasSpan false where another span tells the same
 */
export function traced<Result>(
  kind: keyof typeof CHANNELS,
  describe: () => TracedOperation,
  work: () => Promise<Result>,
  hasSpan = true,
): Promise<Result> {
  const channel = CHANNELS[kind]
  const tracer = hasSpan ? registeredTracer() : undefined
  if (tracer === undefined && !channel.hasSubscribers) return work()
  const operation = describe()
  const { name, attributes } = operation
  const told = async (): Promise<Result> => {
    const { promise, resolve } = Promise.withResolvers<Result>()
    // Without its result: rows, a secret.
    await channel.tracePromise(async () => {
      try {
        resolve(await work())
      } catch (error) {
        addError(attributes, error)
        throw error
      }
    }, operation)
    return promise
  }
  return tracer === undefined ? told() : inSpan(tracer, name, { kind: SPAN_KINDS[kind], attributes }, told)
}
