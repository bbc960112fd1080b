/** The report of a soak, for people. */
import Table from 'cli-table3'
import type { Tally } from '../tally.ts'
import type { Memory } from './memory.ts'

export interface SoakReport {
  readonly minutes: number
  readonly seed: number
  readonly tally: Tally
  readonly inflicted: ReadonlyMap<string, number>
  readonly memories: readonly Memory[]
  /** Sessions of the function at the server: under load's end, and after all environments were shut down. */
  readonly sessions: { readonly atRest: number; readonly left: number }
  /** What broke, one sentence each. */
  readonly broken: readonly string[]
}

function lines(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${count} ${name}`)
    .join('\n')
}

export function describeSoak({ minutes, seed, tally, inflicted, memories, sessions, broken }: SoakReport): string {
  const table = new Table({ style: { head: [], border: [] }, colWidths: [28, 72], wordWrap: true })
  const memory = (kind: 'rss' | 'heapUsed'): string => memories.map((each) => each.describe(kind)).join('\n')
  table.push(
    ['minutes', String(minutes)],
    ['seed', String(seed)],
    ['faults', lines(inflicted)],
    ['calls', String(tally.calls)],
    ['answered', String(tally.answered)],
    ['errors', lines(tally.errors)],
    ['slowest answer', `${Math.round(tally.slowestMs)} ms`],
    ['writes twice', String(tally.duplicatedWrites)],
    ['writes lost', String(tally.lostWrites)],
    ['memory (RSS), MiB', memory('rss')],
    ['memory (heap), MiB', memory('heapUsed')],
    ['sessions at rest, left', `${sessions.atRest}, ${sessions.left}`],
    ['broken', broken.length === 0 ? 'nothing' : broken.join('\n')],
  )
  return table.toString()
}
