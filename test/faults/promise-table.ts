/** The table of docs/faults.md, made from the rows, so that the two cannot differ. */
import type { FaultRow } from './fault-row.ts'

const BEGIN = '<!-- faults: begin -->'
const END = '<!-- faults: end -->'

export function promiseTable(rows: readonly FaultRow[]): string {
  const lines = rows.map(({ id, fault, caller, database }) => `| ${id} | ${fault} | ${caller} | ${database} |`)
  return ['| row | what happens | the caller sees | the database holds |', '|---|---|---|---|', ...lines].join('\n')
}

/** The text with the part between the markers replaced. */
export function withTable(page: string, table: string): string {
  const [before, rest = ''] = page.split(BEGIN)
  const [, after] = rest.split(END)
  if (before === undefined || after === undefined) throw new Error(`docs/faults.md lacks ${BEGIN} or ${END}`)
  return `${before}${BEGIN}\n${table}\n${END}${after}`
}
