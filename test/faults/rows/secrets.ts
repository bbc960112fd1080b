import type { FaultRow } from '../fault-row.ts'

export const SECRETS_ROWS: readonly FaultRow[] = []
