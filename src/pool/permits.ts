/** Counts who has a connection: never more than `max`, and a forgotten one is named instead of waited for. */
import { ConnectionError } from '../base/connection-error.ts'
import { deadlineError, type Invocation, isAtDeadline } from '../lambda/deadline.ts'

/** Somebody who has a connection or is opening one. */
export interface Holder {
  readonly invocation: Invocation | undefined
  /** Carries the stack of the place that asked; undefined where we give it back ourselves. */
  readonly place: Error | undefined
  /** Takes the connection away; undefined while it is being opened. */
  revoke?: () => void
  /** The connection: busy while a statement is under way; undefined as above. */
  client?: { readonly isBusy: boolean }
}

interface Waiter {
  readonly holder: Holder
  readonly admit: () => void
}

/** Remembers the place that called `below`, our own function, to name it when the client is never given back. */
export function callerOf(below: (...args: never[]) => unknown): Error {
  const place = new Error('taken here')
  Error.captureStackTrace(place, below)
  return place
}

/** The first line of the stack behind the message. */
function describePlace(place: Error | undefined): string {
  const line = place?.stack?.split('\n').find((text) => /^\s+at /.test(text))
  return line?.trim().replace(/^at /, '') ?? 'an unknown place'
}

export class Permits {
  readonly #max: number
  /** No Set: adding and deleting leaves a chain of old tables, which keeps young garbage alive until a full collection. */
  readonly #holders: Holder[] = []
  readonly #waiters: Waiter[] = []

  constructor(max: number) {
    this.#max = max
  }

  get takenCount(): number {
    return this.#holders.length
  }

  get waitingCount(): number {
    return this.#waiters.length
  }

  /** Takes one of the connections if one is free. */
  tryAcquire(holder: Holder): boolean {
    if (this.#holders.length >= this.#max) return false
    this.#holders.push(holder)
    return true
  }

  /**
   * Waits for one of the connections, `timeoutMs` at the longest.
   *
   * @throws ConnectionError `ERR_CLIENT_NOT_RELEASED` when an earlier invocation or this one keeps it, `ERR_DEADLINE` when
   * statements take until the invocation's deadline, `ERR_CONNECT` when it is still being opened.
   */
  acquire(holder: Holder, timeoutMs: number): Promise<void> {
    if (this.tryAcquire(holder)) return Promise.resolve()
    const forgotten = this.#holders.find(({ invocation, revoke }) => invocation?.hasEnded && revoke !== undefined)
    if (forgotten !== undefined) return Promise.reject(this.#reclaim(forgotten))
    return new Promise((resolve, reject) => {
      const waiter = {
        holder,
        admit: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1)
        reject(this.#timedOut(holder, timeoutMs))
      }, timeoutMs)
      this.#waiters.push(waiter)
    })
  }

  release(holder: Holder): void {
    const at = this.#holders.indexOf(holder)
    if (at === -1) return
    this.#holders.splice(at, 1)
    const next = this.#waiters.shift()
    if (next === undefined) return
    this.#holders.push(next.holder)
    next.admit()
  }

  /** The connection of an invocation that is over is taken back, and whoever asked is told where it was taken. */
  #reclaim(holder: Holder): ConnectionError {
    holder.revoke?.()
    this.release(holder)
    return new ConnectionError(
      'ERR_CLIENT_NOT_RELEASED',
      `an earlier invocation took a client and never gave it back; it was taken at ${describePlace(holder.place)}`,
      {
        hint: 'Call release() in a finally block, or take it with `await using`. It was closed; the next call gets a new one.',
        safeToRetry: true,
      },
    )
  }

  #timedOut({ invocation }: Holder, timeoutMs: number): ConnectionError {
    const lent = this.#holders.filter(({ revoke }) => revoke !== undefined)
    const taken = lent.find(({ client }) => !client?.isBusy) ?? lent[0]
    const waited = `waited ${Math.round(timeoutMs)} ms`
    if (taken === undefined) {
      return new ConnectionError('ERR_CONNECT', `${waited} for a connection that is still being opened`, {
        hint: 'Can the function reach Secrets Manager and the server?',
        safeToRetry: true,
      })
    }
    const place = taken.place === undefined ? '' : `, one since ${describePlace(taken.place)}`
    if (taken.client?.isBusy && isAtDeadline(invocation))
      return deadlineError(`${waited} for a connection; statements are under way on all ${this.#max}`, true)
    return new ConnectionError(
      'ERR_CLIENT_NOT_RELEASED',
      `${waited} for a client; all ${this.#max} are in use${place}`,
      {
        hint: 'Give clients back with release(), run statements on the client you have, or raise max.',
        safeToRetry: true,
      },
    )
  }
}
