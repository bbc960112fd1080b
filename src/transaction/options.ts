/** The options of `transaction()`, and the BEGIN that they make. */
import { ConnectionError } from '../base/connection-error.ts'
import { nearest } from '../base/nearest.ts'

export interface TransactionOptions {
  /** How often the unit may run in all. @default 10 */
  readonly maxAttempts?: number
  /** @default the server's: serializable at CockroachDB, read committed at PostgreSQL */
  readonly isolationLevel?: 'serializable' | 'repeatable read' | 'read committed'
  /** @default false */
  readonly readOnly?: boolean
}

const KNOWN = ['maxAttempts', 'isolationLevel', 'readOnly']
const ISOLATION_LEVELS = ['serializable', 'repeatable read', 'read committed']

function wrong(message: string): ConnectionError {
  return new ConnectionError('ERR_CONFIG', message, {
    hint: 'Correct the options of transaction().',
    safeToRetry: true,
  })
}

/**
 * The statement that opens a transaction.
 *
 * @throws ConnectionError `ERR_CONFIG` for unknown or unusable options.
 * @see https://www.postgresql.org/docs/current/sql-begin.html
 */
export function beginStatement(options: TransactionOptions): string {
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) throw wrong(`unknown option "${name}"; did you mean "${nearest(name, KNOWN)}"?`)
  }
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
