import type { FaultRow } from '../fault-row.ts'

export const ENVIRONMENT_ROWS: readonly FaultRow[] = []
