import type { FaultRow } from '../fault-row.ts'

export const CONNECTION_ROWS: readonly FaultRow[] = []
