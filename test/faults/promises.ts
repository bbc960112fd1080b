/** The promises that several rows make. */
import type { Stage } from './stage.ts'
import type { Tally } from './tally.ts'

/** Every call was answered. */
export function allAnswered({ tally }: Stage): string[] {
  const codes = [...tally.errors].map(([code, count]) => `${count} x ${code}`)
  return codes.length === 0 ? [] : [`callers saw ${codes.join(', ')}`]
}

/** Callers saw `code` exactly `times(stage)` times, and no other error. */
export function onlyErrors(code: string, times: (stage: Stage) => number): (stage: Stage) => string[] {
  return (stage) => {
    const others = [...stage.tally.errors]
      .filter(([seen]) => seen !== code)
      .map(([seen, count]) => `${count} x ${seen}`)
    const seen = stage.tally.errors.get(code) ?? 0
    return [
      ...(others.length === 0 ? [] : [`callers saw ${others.join(', ')}`]),
      ...(seen === times(stage) ? [] : [`callers saw ${seen} x ${code}, not ${times(stage)}`]),
    ]
  }
}

/** Lambda kills an invocation at its deadline: this much before, in milliseconds, it must have answered. */
const SPARE_MS = 100

/** Every call was answered well before Lambda's own deadline. */
export function inTime({ tally, timeoutMs }: Stage): string[] {
  const spareMs = Math.round(timeoutMs - tally.slowestMs)
  return spareMs >= SPARE_MS ? [] : [`the slowest answer came ${spareMs} ms before Lambda's deadline`]
}

/**
 * Each injection gave the caller `count` errors: of this package one of `codes`. A peer has names of its own, and may
 * answer instead; the ledger shows whether that was right.
 */
export function errorsPerInjection(count: number, ...codes: readonly string[]): (stage: Stage) => string[] {
  return ({ subject, tally }) => {
    const seen = [...tally.errors]
    const [total, due] = [seen.reduce((sum, [, times]) => sum + times, 0), count * tally.injected]
    const isOurs = subject === 'cockroach-lambda'
    const others = isOurs ? seen.filter(([code]) => !codes.includes(code)) : []
    return [
      ...(total > due || (isOurs && total < due) ? [`callers saw ${total} errors, not ${due}`] : []),
      ...others.map(([code, times]) => `callers saw ${times} x ${code}`),
    ]
  }
}

/** The ledger has the stated number of lines. */
export function ledgerHolds(lines: (tally: Tally) => number): (stage: Stage) => Promise<string[]> {
  return async (stage) => {
    const [held, due] = [await stage.ledgerSize(), lines(stage.tally)]
    return held === due ? [] : [`the ledger has ${held} lines, not ${due}`]
  }
}

/** Several promises at once. */
export function every(
  ...promises: readonly ((stage: Stage) => string[] | Promise<string[]>)[]
): (stage: Stage) => Promise<string[]> {
  return async (stage) => (await Promise.all(promises.map((promise) => promise(stage)))).flat()
}
