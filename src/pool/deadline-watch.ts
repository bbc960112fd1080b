/** Ends a connection's statements at their invocation's deadline: by one timer, since setting one takes microseconds. */
import { type Invocation, isAtDeadline } from '../lambda/deadline.ts'
import { removeFrom } from './pool-clients.ts'

/** A statement under way. */
export interface WatchedStatement {
  readonly invocation: Invocation
  /** What the invocation had left for it, in milliseconds. */
  readonly budgetMs: number
}

export class DeadlineWatch {
  readonly #onDeadline: (statement: WatchedStatement) => void
  readonly #underWay: WatchedStatement[] = []
  #timer: NodeJS.Timeout | undefined
  /** On the monotonic clock, in milliseconds. */
  #timerAt = Number.POSITIVE_INFINITY

  /** @param onDeadline called for a statement that is still under way then */
  constructor(onDeadline: (statement: WatchedStatement) => void) {
    this.#onDeadline = onDeadline
  }

  /** Undefined where there is no deadline. */
  begin(invocation: Invocation | undefined, budgetMs: number): WatchedStatement | undefined {
    if (invocation === undefined || budgetMs === Number.POSITIVE_INFINITY) return undefined
    const statement = { invocation, budgetMs }
    this.#underWay.push(statement)
    // The timer of an earlier invocation stays: it looks what is under way then.
    if (invocation.deadlineAt < this.#timerAt) this.#setTimer()
    return statement
  }

  end(statement: WatchedStatement | undefined): void {
    if (statement !== undefined) removeFrom(this.#underWay, statement)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timerAt = Number.POSITIVE_INFINITY
  }

  #setTimer(): void {
    this.stop()
    if (this.#underWay.length === 0) return
    this.#timerAt = Math.min(...this.#underWay.map(({ invocation }) => invocation.deadlineAt))
    // The connection keeps the process alive while a statement is under way; afterwards nothing should.
    this.#timer = setTimeout(this.#look, this.#timerAt - performance.now()).unref()
  }

  readonly #look = (): void => {
    const late = this.#underWay.find(({ invocation }) => isAtDeadline(invocation))
    if (late === undefined) {
      this.#setTimer()
    } else {
      // For one of them: the connection ends, and with it the others.
      this.stop()
      this.#onDeadline(late)
    }
  }
}
