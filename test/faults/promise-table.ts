/** The README's table "What happens when …", made of the rows, so that the two cannot part. */
import type { FaultRow } from './fault-row.ts'

const BEGIN = '<!-- faults: begin -->'
const END = '<!-- faults: end -->'

export function promiseTable(rows: readonly FaultRow[]): string {
  const lines = rows.map(({ id, fault, caller, database }) => `| ${id} | ${fault} | ${caller} | ${database} |`)
  return ['| row | what happens | the caller sees | the database holds |', '|---|---|---|---|', ...lines].join('\n')
}

/** The text with the part between the markers replaced. */
export function withTable(readme: string, table: string): string {
  const [before, rest = ''] = readme.split(BEGIN)
  const [, after] = rest.split(END)
  if (before === undefined || after === undefined) throw new Error(`README.md lacks ${BEGIN} or ${END}`)
  return `${before}${BEGIN}\n${table}\n${END}${after}`
}
