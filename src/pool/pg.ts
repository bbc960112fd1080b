/** What is used of `pg`, with the parts of it that its types leave out. */
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Client, ClientConfig, Pool, PoolConfig } from 'pg'
import { loopbackSocket } from '../connection/tls.ts'

/** What pg asks of the socket that it reads messages from. */
interface MessageSource {
  on(event: string, listener: (bytes: Buffer) => unknown): unknown
}

/** pg's protocol connection, underneath a client: in its code, not in its types. */
export interface ProtocolConnection extends EventEmitter {
  /** A `TLSSocket` once TLS has been agreed on. */
  readonly stream: Socket
  readonly ssl: object | false
  /** @param address a port, or the path of a Unix socket */
  connect(address: number | string, host?: string): void
  /** Has pg read the server's messages. */
  attachListeners(stream: MessageSource): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
  /** Sends Terminate. */
  end(): void
}

/** Where the connection of a host without TLS goes through; none for a Unix socket, which pg opens itself. */
export function clearTextStream(host: string): { readonly stream?: () => Socket } {
  return host.startsWith('/') ? {} : { stream: () => loopbackSocket(host) }
}

/** What pg's client keeps beside its typed properties. */
export interface ClientInternals {
  readonly connection: ProtocolConnection
  readonly ssl: object | false
  readonly processID: number | null
  readonly secretKey: number | null
  readonly _queryable: boolean
  readonly _ending: boolean
  /** Until 8.16, `activeQuery`. */
  readonly _getActiveQuery?: () => unknown
  readonly activeQuery?: unknown
  password: unknown
  readonly connectionParameters: { password: unknown }
}

export type ConnectionConfig = Pick<ClientConfig, 'ssl' | 'stream'>

export type ProtocolConnectionClass = new (config: ConnectionConfig) => ProtocolConnection

/** Its counts are getters here: its types declare them as properties, which getters cannot override. */
export type PoolWithoutCounts = Omit<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>

/** A copy of pg: the function's own, or the one that comes with this package. */
export interface Pg {
  readonly Client: typeof Client
  /** Without its counts, which are getters: its types declare them as properties, which getters cannot override. */
  readonly Pool: new (
    config: PoolConfig,
  ) => Omit<Pool, 'totalCount' | 'idleCount' | 'waitingCount'>
  readonly Connection: ProtocolConnectionClass
}

/** True for a socket that pg has encrypted. */
export function isTlsSocket(stream: Socket): stream is TLSSocket {
  return 'encrypted' in stream && stream.encrypted === true
}
