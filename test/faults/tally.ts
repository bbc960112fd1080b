/** What a row counts for one subject. */

export interface Tally {
  injected: number
  calls: number
  /** Calls that were answered with what was asked for. */
  answered: number
  /** What callers saw instead, by error code. */
  readonly errors: Map<string, number>
  /** Lines of the ledger that are there more than once. */
  duplicatedWrites: number
  /** Acknowledged lines that are missing from the ledger. */
  lostWrites: number
  slowestMs: number
  /** What must never happen, whatever the row: a hang, a process that ended, a secret in an output. */
  readonly violations: string[]
}

export function newTally(): Tally {
  return {
    injected: 0,
    calls: 0,
    answered: 0,
    errors: new Map(),
    duplicatedWrites: 0,
    lostWrites: 0,
    slowestMs: 0,
    violations: [],
  }
}

export function countError(tally: Tally, code: string): void {
  tally.errors.set(code, (tally.errors.get(code) ?? 0) + 1)
}
