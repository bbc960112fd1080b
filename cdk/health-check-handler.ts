/** The sample stack's function: reports whether the database can be reached, to a direct invocation, over HTTP, and on a schedule. */
import { type HealthReport, healthCheck, ready, withDatabase } from 'cockroach-lambda'

/** The part of an event of a function URL or API Gateway (payload format 2.0) that a direct invocation does not have. */
interface HttpEvent {
  readonly requestContext: { readonly http: unknown }
}

function isHttpEvent(event: unknown): event is HttpEvent {
  if (typeof event !== 'object' || event === null || !('requestContext' in event)) return false
  const { requestContext } = event
  return typeof requestContext === 'object' && requestContext !== null && 'http' in requestContext
}

/** What an EventBridge rule with a schedule sends. */
function isScheduledEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'source' in event && event.source === 'aws.events'
}

/** A scheduled event has no reader of its answer: Lambda counts errors that are thrown, and the alarm watches that count. */
function throwUnlessHealthy({ ok, error }: HealthReport): void {
  if (ok) return
  const { code = 'ERR_UNHEALTHY', message = 'the health check failed', hint } = error ?? {}
  throw Object.assign(new Error(hint === undefined ? message : `${message} (${hint})`), { name: code })
}

/** A direct invocation gets the report itself; HTTP gets it as JSON, with 200 or 503; a schedule gets an error. */
export const handler = withDatabase(async (event: unknown) => {
  const report = await healthCheck()
  if (isScheduledEvent(event)) throwUnlessHealthy(report)
  if (!isHttpEvent(event)) return report
  return {
    statusCode: report.ok ? 200 : 503,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(report),
  }
})

// The first invocation finds a connection, at every memory size.
await ready()
