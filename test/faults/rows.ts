/** All rows, in the order of the table in docs/faults.md. */
import type { FaultRow } from './fault-row.ts'
import { CONNECTION_ROWS } from './rows/connection.ts'
import { CONTENTION_ROWS } from './rows/contention.ts'
import { ENVIRONMENT_ROWS } from './rows/environment.ts'
import { FROZEN_ROWS } from './rows/frozen.ts'
import { READY_ROWS } from './rows/ready.ts'
import { SECRETS_ROWS } from './rows/secrets.ts'
import { SERVER_ROWS } from './rows/server.ts'
import { SNAPSHOT_ROWS } from './rows/snapshot.ts'
import { TOKEN_ROWS } from './rows/tokens.ts'

export const ROWS: readonly FaultRow[] = [
  ...FROZEN_ROWS,
  ...CONNECTION_ROWS,
  ...CONTENTION_ROWS,
  ...SECRETS_ROWS,
  ...SERVER_ROWS,
  ...ENVIRONMENT_ROWS,
  ...READY_ROWS,
  ...SNAPSHOT_ROWS,
  ...TOKEN_ROWS,
]
