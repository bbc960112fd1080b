/** A client that is lent to one caller, until the caller releases it or the pool revokes the lease. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { currentInvocation } from '../lambda/deadline.ts'
import type { DatabaseClient } from './client.ts'

/** A unit of work that has a client until it has ended, and releases it no sooner: a transaction. */
export interface Holder {
  /** The pool of that client. */
  readonly pool: object
  /** True while its code may send statements. */
  readonly isOpen: boolean
}

/** Those that the running code is part of, the outermost first. */
export const holders = new AsyncLocalStorage<readonly Holder[]>()

/**
 * Ends a lease at the pool; `unfitness` is the reason why its client cannot be lent again, if there is one, and `destroy`
 * what was passed to `release()`.
 */
type OnEnd = (lease: Lease, unfitness: string | undefined, destroy?: Error | boolean) => void

export class Lease {
  readonly client: DatabaseClient
  /** Carries the stack of the code that asked; undefined where this package releases the client itself. */
  readonly callSite: Error | undefined
  /** How many callers wait for another client whom this one's holder is waiting for. */
  waitingCount = 0
  readonly #holder: Holder | undefined
  readonly #invocation = currentInvocation()
  readonly #onEnd: OnEnd
  #state: 'lent' | 'released' | 'revoked' = 'lent'

  constructor(client: DatabaseClient, callSite: Error | undefined, holder: Holder | undefined, onEnd: OnEnd) {
    this.client = client
    this.callSite = callSite
    this.#holder = holder
    this.#onEnd = onEnd
  }

  /** True when the invocation that took the client is over. */
  get isForgotten(): boolean {
    return this.#state === 'lent' && this.#invocation?.hasEnded === true
  }

  /** True for code that is part of the unit of work that has this client. */
  get isHeldAround(): boolean {
    return this.#holder !== undefined && holders.getStore()?.includes(this.#holder) === true
  }

  /** As pg's: `destroy` closes the connection, and an open cursor or stream does. After `revoke()` there is nothing left to release. */
  release(destroy?: Error | boolean): void {
    if (this.#state === 'revoked') return
    if (this.#state === 'released') throw new Error('release() was called twice: this client has already been released')
    this.#state = 'released'
    const end = (): void => this.#onEnd(this, destroy ? 'released as broken' : this.client.unfitness, destroy)
    // As with pg, statements that nobody awaited run to their end; nobody else gets the client before.
    if (!destroy && this.client.isBusy && !this.client.isStreaming) void this.client.whenDone().then(end)
    else end()
  }

  /** Takes the client away and closes it. */
  revoke(): void {
    this.#state = 'revoked'
    this.#onEnd(this, 'never released', true)
  }

  /**
   * The client for a caller who releases it by `client.release()`, or by `await using`.
   *
   * Both functions have names before they are assigned, for V8 puts one that is written behind `x.y =` into the old
   * generation at once, where it and all that it refers to stay until a full garbage collection: 400 bytes a statement.
   */
  get checkedOutClient(): DatabaseClient {
    const release = (destroy?: Error | boolean): void => this.release(destroy)
    const dispose = async (): Promise<void> => {
      if (this.#state === 'lent') this.release()
    }
    // Assigned one by one: Object.assign takes microseconds, in every statement of those who take clients.
    this.client.release = release
    this.client[Symbol.asyncDispose] = dispose
    return this.client
  }
}

/**
 * The line that called `below`, our own function, to name it when the client is never released.
 *
 * @param call what the caller's code says, such as `getClient()`
 */
export function callerOf(below: (...args: never[]) => unknown, call: string): Error {
  const callSite = new Error(call)
  Error.captureStackTrace(callSite, below)
  return callSite
}
