/** A semaphore: never more than `max` permits at once; callers that wait get one in the order of asking. */
export class Permits {
  readonly #max: number
  #takenCount = 0
  readonly #waiters: ((isAdmitted: boolean) => void)[] = []

  constructor(max: number) {
    this.#max = max
  }

  get takenCount(): number {
    return this.#takenCount
  }

  get waitingCount(): number {
    return this.#waiters.length
  }

  /** Takes a permit if one is free, which is never so while somebody waits. */
  tryAcquire(): boolean {
    if (this.#takenCount >= this.#max) return false
    this.#takenCount += 1
    return true
  }

  /**
   * True as soon as there is a permit for the caller, false when the caller gives up, and from `refuseWaiting()`.
   *
   * @param nextLookMs milliseconds until it is asked again whether to wait on; 0 or less to give up
   */
  acquire(nextLookMs: () => number): Promise<boolean> {
    if (this.tryAcquire()) return Promise.resolve(true)
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const settle = (isAdmitted: boolean): void => {
        clearTimeout(timer)
        resolve(isAdmitted)
      }
      const look = (): void => {
        const waitMs = nextLookMs()
        if (waitMs > 0) {
          timer = setTimeout(look, Math.ceil(waitMs))
          return
        }
        this.#waiters.splice(this.#waiters.indexOf(settle), 1)
        resolve(false)
      }
      this.#waiters.push(settle)
      look()
    })
  }

  /** Whoever waits gets no permit. */
  refuseWaiting(): void {
    for (const settle of this.#waiters.splice(0)) settle(false)
  }

  /** To be called once for each permit that was acquired. */
  release(): void {
    const settleNext = this.#waiters.shift()
    if (settleNext === undefined) this.#takenCount -= 1
    else settleNext(true)
  }
}
