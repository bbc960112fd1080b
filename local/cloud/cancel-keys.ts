/** Hands out cancellation keys of our own and remembers which backend's key each stands for. */
import { randomInt } from 'node:crypto'
import type { PostgresAddress } from './tenant.ts'
import { int32 } from './wire-protocol.ts'

/** Where a statement runs and the key its server gave out. */
export interface CancelTarget {
  readonly postgres: PostgresAddress
  readonly key: Buffer
}

export class CancelKeys {
  readonly #targets = new Map<string, CancelTarget>()

  /** A key as it stands in BackendKeyData: process id and secret, both random, since several servers are behind us. */
  replace(target: CancelTarget): Buffer {
    const key = Buffer.concat([int32(randomInt(1, 2 ** 31)), int32(randomInt(-(2 ** 31), 2 ** 31))])
    this.#targets.set(key.toString('hex'), target)
    return key
  }

  find(key: Buffer): CancelTarget | undefined {
    return this.#targets.get(key.toString('hex'))
  }

  forget(key: Buffer): void {
    this.#targets.delete(key.toString('hex'))
  }
}
