/** Makes OpenTelemetry spans where the function has registered a tracer; needs no package for that. */

/** By the names of OpenTelemetry's semantic conventions. No value of a statement, no password, no text of an error. */
export type OperationAttributes = Record<string, string | number | undefined>

/** The part of OpenTelemetry's API that is used. @see https://opentelemetry.io/docs/specs/otel/trace/api/ */
interface Span {
  setAttributes(attributes: OperationAttributes): unknown
  setStatus(status: { readonly code: number }): unknown
  end(): void
}

interface Tracer {
  startActiveSpan<Result>(name: string, options: object, work: (span: Span) => Result): Result
}

/** Where version 1 of `@opentelemetry/api` keeps what the function has registered, for all copies of it. */
const OPENTELEMETRY = Symbol.for('opentelemetry.js.api.1')

/** OpenTelemetry's number for a span that failed. */
const ERROR = 2

/** undefined while the function has registered none. */
export function registeredTracer(): Tracer | undefined {
  // Stated, not checked: the number in the symbol's name stands for this shape.
  const shared = globalThis as { [OPENTELEMETRY]?: { trace?: { getTracer(name: string): Tracer } } }
  return shared[OPENTELEMETRY]?.trace?.getTracer('cockroach-lambda')
}

/**
 * Does `work` inside a span, which is the parent of those that `work` makes.
 *
 * @param options whose attributes are read when the span begins, and again when it ends
 */
export function inSpan<Result>(
  tracer: Tracer,
  name: string,
  options: { readonly kind: number; readonly attributes: OperationAttributes },
  work: () => Promise<Result>,
): Promise<Result> {
  return tracer.startActiveSpan(name, options, async (span) => {
    try {
      return await work()
    } catch (error) {
      // Without the message, which may quote a value.
      span.setStatus({ code: ERROR })
      throw error
    } finally {
      span.setAttributes(options.attributes)
      span.end()
    }
  })
}

/** True for a method that OpenTelemetry's instrumentation of pg has replaced: it makes a span by itself. */
export function isInstrumented(method: object): boolean {
  return '__wrapped' in method
}
