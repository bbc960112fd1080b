import type { FaultRow } from '../fault-row.ts'

export const SERVER_ROWS: readonly FaultRow[] = []
