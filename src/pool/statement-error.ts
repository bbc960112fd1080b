/** Tells a broken connection from the server's own answer to a statement. */
import { ConnectionError } from '../base/connection-error.ts'
import { isDatabaseError } from '../base/database-error.ts'

/** pg's own errors have no code; these are their whole texts. */
const NEVER_SENT = [
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
]
const LOST = ['Connection terminated unexpectedly', 'Connection terminated']
const LOST_CODES = [
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'EPROTO',
  'ERR_PROTOCOL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
]

/** Classes 08 and 57P0: the server ends the session. */
const SESSION_END = /^(08...|57P0.)$/

/** True when the server's answer says that the session is over, and with it the connection. */
export function endsSession(error: unknown): boolean {
  return isDatabaseError(error) && SESSION_END.test(error.code ?? '')
}

function isLost(error: Error): boolean {
  return LOST.includes(error.message) || ('code' in error && LOST_CODES.includes(String(error.code)))
}

/**
 * `ERR_CONNECTION_LOST` for a broken connection; everything else, the server's `DatabaseError` above all, as it is.
 * `safeToRetry` is true only when the statement cannot have been sent.
 */
export function statementError(error: unknown): unknown {
  if (!(error instanceof Error) || isDatabaseError(error) || error instanceof ConnectionError) return error
  const wasNeverSent = NEVER_SENT.includes(error.message)
  if (!wasNeverSent && !isLost(error)) return error
  const what = wasNeverSent
    ? 'the connection was lost before the statement was sent'
    : 'the connection was lost while a statement was under way'
  return new ConnectionError('ERR_CONNECTION_LOST', `${what}: ${error.message}`, {
    cause: error,
    hint: wasNeverSent
      ? 'Nothing was sent: do it again.'
      : 'The statement may have taken effect. Repeat it only if that does no harm (idempotent: true), or use transaction().',
    safeToRetry: wasNeverSent,
  })
}

/** True when the connection broke under the statement, and sending it again does no harm. */
export function mayBeRepeated(error: unknown, isIdempotent: boolean): boolean {
  const isLost = error instanceof ConnectionError && error.code === 'ERR_CONNECTION_LOST'
  if (isLost && error.safeToRetry) return true
  return isIdempotent && (isLost || endsSession(error))
}
