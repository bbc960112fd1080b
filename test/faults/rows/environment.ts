/** Rows 18 to 20: execution environments end, share, and start all at once. */

import type { FaultRow } from '../fault-row.ts'
import { RUSH_ROWS } from './rush.ts'
import { SHUTDOWN_ROWS } from './shutdown.ts'
import { SIDE_BY_SIDE_ROWS } from './side-by-side.ts'

export const ENVIRONMENT_ROWS: readonly FaultRow[] = [...SHUTDOWN_ROWS, ...SIDE_BY_SIDE_ROWS, ...RUSH_ROWS]
