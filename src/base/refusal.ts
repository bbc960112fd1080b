/** The error of a text from outside that cannot be used: it names the source, and shows nothing of the text. */
import { ConnectionError } from './connection-error.ts'

/** Where a text came from, for messages: the code to throw with, and the name people know the source by. */
export interface Origin {
  readonly code: 'ERR_CONFIG' | 'ERR_SECRET_INVALID'
  /** For example `secret "app/db"`, `DATABASE_URL`, `option connectionString`. */
  readonly name: string
}

/** `message` continues the origin's name: "secret "app/db": is empty". */
export function refusal(origin: Origin, message: string, hint: string): ConnectionError {
  return new ConnectionError(origin.code, `${origin.name}: ${message}`, { hint, safeToRetry: true })
}
