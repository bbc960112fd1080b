/** Rows 14 to 17: what the server does to its clients, and what functions do to their own clients. */

import type { FaultRow } from '../fault-row.ts'
import { DEADLINE_ROWS } from './deadline.ts'
import { REFUSING_ROWS } from './refusing.ts'
import { TLS_ROWS } from './tls.ts'

export const SERVER_ROWS: readonly FaultRow[] = [...REFUSING_ROWS, ...DEADLINE_ROWS, ...TLS_ROWS]
