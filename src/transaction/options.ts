/** The options of `transaction()`, and the BEGIN that they make. */
import type { ConnectionError } from '../base/connection-error.ts'
import { refuseUnknownOptions, wrongOption } from '../base/options.ts'

export interface TransactionOptions {
  /** How often the unit may run in all. @default 10 */
  readonly maxAttempts?: number
  /** What concurrent transactions see of each other. @default the server's: serializable at CockroachDB, read committed at PostgreSQL */
  readonly isolationLevel?: 'serializable' | 'repeatable read' | 'read committed'
  /** The server refuses statements that write. @default false */
  readonly readOnly?: boolean
}

const CALLER = 'transaction()'
const KNOWN = ['maxAttempts', 'isolationLevel', 'readOnly']
const ISOLATION_LEVELS = ['serializable', 'repeatable read', 'read committed']

const wrong = (message: string): ConnectionError => wrongOption(CALLER, message)

/**
 * The statement that opens a transaction.
 *
 * @throws ConnectionError `ERR_CONFIG` for unknown or unusable options.
 * @see https://www.postgresql.org/docs/current/sql-begin.html
 */
export function beginStatement(options: TransactionOptions): string {
  refuseUnknownOptions(options, KNOWN, CALLER)
  const { maxAttempts, isolationLevel, readOnly } = options
  if (maxAttempts !== undefined && !(Number.isInteger(maxAttempts) && maxAttempts >= 1)) {
    throw wrong(`maxAttempts is ${String(maxAttempts)}; expected a whole number from 1`)
  }
  if (isolationLevel !== undefined && !ISOLATION_LEVELS.includes(isolationLevel)) {
    throw wrong(`isolationLevel is "${String(isolationLevel)}"; expected ${ISOLATION_LEVELS.join(', ')}`)
  }
  if (readOnly !== undefined && typeof readOnly !== 'boolean') {
    throw wrong(`readOnly is a ${typeof readOnly}; expected true or false`)
  }
  const level = isolationLevel === undefined ? '' : ` ISOLATION LEVEL ${isolationLevel.toUpperCase()}`
  return `BEGIN${level}${readOnly === true ? ' READ ONLY' : ''}`
}
