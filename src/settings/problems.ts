/** Collects what is wrong with the settings, so that one error reports all of it. */
import { ConnectionError } from '../base/connection-error.ts'

/** What is wrong, one sentence each. */
export class Problems {
  readonly #messages: string[] = []

  add(message: string): undefined {
    this.#messages.push(message)
  }

  /** Runs a step; adds the message of a ConnectionError that it throws. */
  attempt<Result>(step: () => Result): Result | undefined {
    try {
      return step()
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      return this.add(error.hint === undefined ? error.message : `${error.message} (${error.hint})`)
    }
  }

  throwIfAny(): void {
    if (this.#messages.length === 0) return
    throw new ConnectionError('ERR_CONFIG', this.#messages.join('; '), {
      hint: 'Correct the options of createDatabase() or withDatabase(), or the environment variables of the function.',
      safeToRetry: true,
    })
  }
}
