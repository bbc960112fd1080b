/** The one importer of `pg`, a CommonJS package, with the parts of it that its types leave out. */
import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Client, type ClientConfig, Connection as PgConnection, Pool as PgPool, type PoolConfig } from 'pg'
import { loopbackSocket } from '../connection/tls.ts'

export { Client }

/** pg's pool without its counts, which are getters: its types declare them as properties, which getters cannot override. */
export const Pool: new (config: PoolConfig) => Omit<PgPool, 'totalCount' | 'idleCount' | 'waitingCount'> = PgPool

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
  _getActiveQuery(): unknown
  password: unknown
  readonly connectionParameters: { password: unknown }
}

export type ConnectionConfig = Pick<ClientConfig, 'ssl' | 'stream'>

type ProtocolConnectionClass = new (config: ConnectionConfig) => ProtocolConnection

/** Stated, not checked: `@types/pg` declares this class without its methods. */
export const Connection = PgConnection as unknown as ProtocolConnectionClass
