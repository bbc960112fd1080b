/** The walk: runs the steps one after the other, reports each as it ends, and stops at the first that fails. */
import type { StepName, StepReport } from './report.ts'

/** What a step returns: its result, and what it saw. */
export interface Seen<Value> {
  readonly value: Value
  readonly saw: string
  readonly warnings?: readonly string[]
}

/** Ends the walk; `cause` is what the step threw. */
export class StepFailure extends Error {
  readonly step: StepName

  constructor(step: StepName, cause: unknown) {
    super(step, { cause })
    this.step = step
  }
}

export class Walk {
  readonly steps: StepReport[] = []
  readonly #onStep: (report: StepReport) => void

  constructor(onStep: (report: StepReport) => void) {
    this.#onStep = onStep
  }

  /** @throws StepFailure */
  async step<Value>(step: StepName, look: () => Seen<Value> | Promise<Seen<Value>>): Promise<Value> {
    const startedAt = performance.now()
    const ms = (): number => Math.round(performance.now() - startedAt)
    try {
      const { value, saw, warnings = [] } = await look()
      this.#report({ step, status: 'passed', saw, ms: ms(), warnings })
      return value
    } catch (cause) {
      // Of the library's health report, the error is no Error.
      const { message = '' } = Object(cause)
      this.#report({ step, status: 'failed', saw: String(message), ms: ms(), warnings: [] })
      throw new StepFailure(step, cause)
    }
  }

  skip(step: StepName, saw: string): void {
    this.#report({ step, status: 'skipped', saw, ms: 0, warnings: [] })
  }

  #report(report: StepReport): void {
    this.steps.push(report)
    this.#onStep(report)
  }
}
