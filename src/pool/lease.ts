/** A client that is lent to one caller, until the caller gives it back or the pool takes it away. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { currentInvocation } from '../lambda/deadline.ts'
import type { DatabaseClient } from './client.ts'

/** A unit of work that has a client until it has ended, and gives it back no sooner: a transaction. */
export interface Holder {
  /** The pool of that client. */
  readonly pool: object
}

/** Those that the running code is part of, the outermost first. */
export const holders = new AsyncLocalStorage<readonly Holder[]>()

/** Ends a lease at the pool; `unfitness` is the reason why its client cannot be lent again, if there is one. */
type TakeBack = (lease: Lease, unfitness: string | undefined) => void

export class Lease {
  readonly client: DatabaseClient
  /** Carries the stack of the code that asked; undefined where this package gives the client back itself. */
  readonly place: Error | undefined
  /** How many callers wait for another client whom this one's holder is waiting for. */
  waitingCount = 0
  readonly #holder: Holder | undefined
  readonly #invocation = currentInvocation()
  readonly #takeBack: TakeBack
  #state: 'lent' | 'released' | 'revoked' = 'lent'

  constructor(client: DatabaseClient, place: Error | undefined, holder: Holder | undefined, takeBack: TakeBack) {
    this.client = client
    this.place = place
    this.#holder = holder
    this.#takeBack = takeBack
  }

  /** True when the invocation that took the client is over. */
  get isForgotten(): boolean {
    return this.#invocation?.hasEnded === true
  }

  /** True for code that is part of the unit of work that has this client. */
  get isHeldAround(): boolean {
    return this.#holder !== undefined && holders.getStore()?.includes(this.#holder) === true
  }

  /** As pg's: `destroy` closes the connection. After `revoke()` there is nothing left to give back. */
  release(destroy?: Error | boolean): void {
    if (this.#state === 'revoked') return
    if (this.#state === 'released') throw new Error('release() was called twice: this client has already been released')
    this.#state = 'released'
    this.#takeBack(this, destroy ? 'given back as broken' : this.client.unfitness)
  }

  /** Takes the client away and closes it. */
  revoke(): void {
    this.#state = 'revoked'
    this.#takeBack(this, 'never given back')
  }

  /**
   * The client for a caller who gives it back by `client.release()`, or by `await using`.
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

/** Remembers the place that called `below`, our own function, to name it when the client is never given back. */
export function callerOf(below: (...args: never[]) => unknown): Error {
  const place = new Error('taken here')
  Error.captureStackTrace(place, below)
  return place
}
