/** Issues cancellation keys of the stand-in's own, each for the key of one session at a server. */
import { randomInt } from 'node:crypto'
import type { PostgresAddress } from './tenant.ts'
import { int32 } from './wire-protocol.ts'

/** The server of a session, and the key that it issued for it. */
export interface CancelTarget {
  readonly postgres: PostgresAddress
  readonly key: Buffer
}

export class CancelKeys {
  readonly #targets = new Map<string, CancelTarget>()

  /** A key as it stands in BackendKeyData: process id and secret, both random, since several servers are behind the stand-in. */
  replace(target: CancelTarget): Buffer {
    const key = Buffer.concat([int32(randomInt(1, 2 ** 31)), int32(randomInt(-(2 ** 31), 2 ** 31))])
    this.#targets.set(key.toString('hex'), target)
    return key
  }

  find(key: Buffer): CancelTarget | undefined {
    return this.#targets.get(key.toString('hex'))
  }

  delete(key: Buffer): void {
    this.#targets.delete(key.toString('hex'))
  }
}
