/** Ends a connection's statements at their invocation's deadline: by one timer, since setting one takes microseconds. */
import { monotonicNow } from '../base/clock.ts'
import { type Invocation, inInvocation, isAtDeadline, outsideInvocations } from '../lambda/deadline.ts'
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
  #isStopped = false

  /** @param onDeadline called for a statement that is still under way then, as part of its invocation */
  constructor(onDeadline: (statement: WatchedStatement) => void) {
    this.#onDeadline = onDeadline
  }

  /** Undefined where there is no deadline. */
  begin(invocation: Invocation | undefined, budgetMs: number): WatchedStatement | undefined {
    if (invocation === undefined || budgetMs === Number.POSITIVE_INFINITY || this.#isStopped) return undefined
    const statement = { invocation, budgetMs }
    this.#underWay.push(statement)
    // The timer of an earlier invocation stays: it looks what is under way then.
    this.#lookAt(invocation.deadlineAt)
    return statement
  }

  end(statement: WatchedStatement | undefined): void {
    if (statement !== undefined) removeFrom(this.#underWay, statement)
  }

  /** The connection has ended. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #lookAt(at: number): void {
    if (at >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timerAt = at
    // The connection keeps the process alive while a statement is under way; afterwards nothing should.
    this.#timer = outsideInvocations(() => setTimeout(this.#look, at - monotonicNow()).unref())
  }

  readonly #look = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY
    const late = this.#underWay.find(({ invocation }) => isAtDeadline(invocation))
    if (late === undefined) {
      for (const { invocation } of this.#underWay) this.#lookAt(invocation.deadlineAt)
    } else {
      // For one of them: the connection ends, and with it the others.
      this.stop()
      inInvocation(late.invocation, () => this.#onDeadline(late))
    }
  }
}
