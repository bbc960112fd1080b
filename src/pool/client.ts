/** A client of the pool: one of pg's, which knows its age, how it was opened, and what its server said. */
import type { TLSSocket } from 'node:tls'
import type { ClientConfig, Client as PgClient } from 'pg'
import type { ResolvedConnection } from '../connection/source.ts'
import type { ConnectTimings } from './connect-timings.ts'
import type { LoginRequirements } from './login-order.ts'

export interface DatabaseClientConfig extends ClientConfig {
  /** Breaks the connection off, in whatever state it is. */
  readonly signal?: AbortSignal | undefined
  readonly requirements?: LoginRequirements
}

export interface DatabaseClient extends PgClient {
  /** When the pool opened it and got it back last, on the steady clock in milliseconds. */
  openedAt: number
  idleSince: number
  /** The wall clock when the pool got it back last. */
  returnedAt: number
  /** How often the pool has lent it. */
  uses: number
  /** It is replaced when older than this, in milliseconds. */
  maxLifetimeMs: number
  /** The connection parameters and the secret version that it was opened with. */
  openedWith: ResolvedConnection | undefined
  /** In pg's code, not in its types: whether it keeps the process from ending. */
  readonly ref: () => void
  readonly unref: () => void
  /** As pg's: returns it to the pool, to be closed with `destroy`. A function of its own each time the pool lends it. */
  release: (destroy?: Error | boolean) => void
  /** Gives it back, unless that was done. */
  [Symbol.asyncDispose]: () => Promise<void>
  /** Process id of the session at the server, or the one that CockroachDB Cloud's proxy sends instead. */
  readonly backendPid: number | undefined
  readonly tlsSocket: TLSSocket | undefined
  readonly connectTimings: ConnectTimings
  /** Bytes that the server has sent. */
  readonly bytesRead: number
  /** True while a statement is under way. */
  readonly isBusy: boolean
  /** True while a cursor, a stream or a COPY is open: it may wait for its reader for ever. */
  readonly isStreaming: boolean
  /** Why the pool must not keep it, if there is a reason. */
  readonly unfitness: string | undefined
  /** `server_version` or `crdb_version` as the server reported it. */
  serverParameter(name: string): string | undefined
  /** Logged in: from here on statements are run. */
  endLogin(): void
  /** Ends the session now, whatever it does: a statement under way is cancelled, for the server would finish it first. */
  terminate(): void
  /** Settles when no statement is under way or waits any more, or the connection has ended. */
  whenDone(): Promise<void>
  /** Breaks the connection off at once, without a word to the server. */
  destroy(): void
  /** True when the server answers within `timeoutMs`; a broken or silent connection gives false, never an error. */
  probe(timeoutMs: number): Promise<boolean>
}

/** A client that a pool lends: `release()` returns it, and so does `await using`. */
export type CheckedOutClient = DatabaseClient
