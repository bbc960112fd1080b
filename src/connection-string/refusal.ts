/** The error of a connection string or secret that cannot be used: it names its origin and quotes nothing of it. */

import { ConnectionError } from '../base/connection-error.ts'
import type { Origin } from './fields.ts'

export const CONNECTION_STRING_FORM = 'postgresql://<user>:<password>@<host>:<port>/<database>?sslmode=verify-full'

/** `message` continues the origin's name: "secret "app/db": port is 0". */
export function refusal(origin: Origin, message: string, hint: string): ConnectionError {
  return new ConnectionError(origin.code, `${origin.name}: ${message}`, { hint, safeToRetry: true })
}
