/** Recognises the server's own answer among errors, without pg: it need not be loaded for that, and any copy of it may have made the error. */
import type { DatabaseError } from 'pg'

/**
 * True for what the server answered, an error of pg's class `DatabaseError`.
 *
 * @see https://github.com/brianc/node-postgres/blob/master/packages/pg-protocol/src/messages.ts
 */
export function isDatabaseError(error: unknown): error is DatabaseError {
  // pg names these errors after the message that brought them, and keeps its length.
  return error instanceof Error && error.name === 'error' && 'length' in error && typeof error.length === 'number'
}
