/** The sample stack's function: answers whether the database can be reached, however it is asked. */
import { healthCheck, withDatabase } from 'cockroach-lambda'

/** What a function URL and API Gateway (payload format 2.0) send, as far as it tells them from a direct invocation. */
interface HttpEvent {
  readonly requestContext: { readonly http: unknown }
}

function isHttpEvent(event: unknown): event is HttpEvent {
  if (typeof event !== 'object' || event === null || !('requestContext' in event)) return false
  const { requestContext } = event
  return typeof requestContext === 'object' && requestContext !== null && 'http' in requestContext
}

/** A direct invocation gets the report itself; HTTP gets it as JSON, with 200 or 503. */
export const handler = withDatabase(async (event: unknown) => {
  const report = await healthCheck()
  if (!isHttpEvent(event)) return report
  return {
    statusCode: report.ok ? 200 : 503,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(report),
  }
})
