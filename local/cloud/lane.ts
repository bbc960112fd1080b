/** One direction of a connection: delivers bytes late, in pieces, after a pause or never, but always in order. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** Bytes per write, and how long to wait after each. */
export interface Trickle {
  readonly bytes: number
  readonly pauseMs: number
}

/** Read anew for every chunk, so that a change has its effect at once. */
export interface LaneFaults {
  /** One-way latency. */
  readonly delayMs: number
  readonly trickle: Trickle | undefined
}

interface Item {
  readonly dueAt: number
  /** Undefined: `deliver` is called with no bytes. */
  readonly bytes: Buffer | undefined
  readonly deliver: (bytes: Buffer) => void
}

const NOTHING = Buffer.alloc(0)
/** A timer may come this much late, in milliseconds. */
const TIMER_PRECISION_MS = 2

/** Sleeps, and polls for the last two milliseconds: timers are too coarse for round trips of a millisecond. */
async function sleepUntil(dueAt: number): Promise<void> {
  const coarseMs = dueAt - performance.now() - TIMER_PRECISION_MS
  if (coarseMs >= 1) await sleep(coarseMs)
  while (performance.now() < dueAt) await nextTurn()
}

export class Lane {
  readonly #faults: LaneFaults
  readonly #queue: Item[] = []
  #isDraining = false
  #isDropped = false
  #paused: { readonly over: Promise<void>; readonly end: () => void } | undefined

  constructor(faults: LaneFaults) {
    this.#faults = faults
  }

  /** Delivers the bytes when it is their turn. */
  send(bytes: Buffer, deliver: (bytes: Buffer) => void): void {
    this.#add({ dueAt: performance.now() + this.#faults.delayMs, bytes, deliver })
  }

  /** Calls back when everything sent before was delivered: for the end of a stream. */
  afterwards(deliver: () => void): void {
    this.#add({ dueAt: performance.now() + this.#faults.delayMs, bytes: undefined, deliver })
  }

  pause(): void {
    if (this.#paused !== undefined) return
    let end = (): void => undefined
    const over = new Promise<void>((resolve) => {
      end = resolve
    })
    this.#paused = { over, end }
  }

  resume(): void {
    this.#paused?.end()
    this.#paused = undefined
  }

  /** From now on nothing is delivered any more. */
  drop(): void {
    this.#isDropped = true
    this.#queue.length = 0
    this.resume()
  }

  #add(item: Item): void {
    if (this.#isDropped) return
    const { delayMs, trickle } = this.#faults
    const isPlain = !this.#isDraining && this.#paused === undefined && delayMs === 0 && trickle === undefined
    if (isPlain) {
      item.deliver(item.bytes ?? NOTHING)
      return
    }
    this.#queue.push(item)
    if (!this.#isDraining) void this.#drain()
  }

  async #drain(): Promise<void> {
    this.#isDraining = true
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      await sleepUntil(item.dueAt)
      await this.#paused?.over
      await this.#deliver(item)
      if (this.#isDropped) break
    }
    this.#isDraining = false
  }

  async #deliver({ bytes, deliver }: Item): Promise<void> {
    let rest = bytes
    while (rest !== undefined && this.#faults.trickle !== undefined && !this.#isDropped) {
      const { bytes: size, pauseMs } = this.#faults.trickle
      if (rest.length <= size) break
      deliver(rest.subarray(0, size))
      rest = rest.subarray(size)
      await sleep(pauseMs)
      await this.#paused?.over
    }
    if (!this.#isDropped) deliver(rest ?? NOTHING)
  }
}
