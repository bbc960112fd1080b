/** The promises that several rows make. */
import type { Stage } from './stage.ts'

/** Every call was answered. */
export function allAnswered({ tally }: Stage): string[] {
  const codes = [...tally.errors].map(([code, count]) => `${count} x ${code}`)
  return codes.length === 0 ? [] : [`callers saw ${codes.join(', ')}`]
}

/** Callers saw `code` exactly as often as told, and no other error. */
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
