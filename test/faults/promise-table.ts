/** The table of docs/faults.md, made from the rows, so that the two cannot differ. */
import type { FaultRow } from './fault-row.ts'

export function promiseTable(rows: readonly FaultRow[]): string {
  const lines = rows.map(({ id, fault, caller, database }) => `| ${id} | ${fault} | ${caller} | ${database} |`)
  return ['| row | what happens | the caller sees | the database holds |', '|---|---|---|---|', ...lines].join('\n')
}
