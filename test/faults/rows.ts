/** All rows, in the order of the README's table. */
import type { FaultRow } from './fault-row.ts'
import { FROZEN_ROWS } from './rows/frozen.ts'

export const ROWS: readonly FaultRow[] = [...FROZEN_ROWS]
