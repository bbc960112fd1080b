/** One client's way through the stand-in: SSLRequest, TLS, start-up, then messages both ways; and its faults. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Admission } from './admission.ts'
import type { CancelKeys } from './cancel-keys.ts'
import type { Counts } from './counts.ts'
import { CLIENT_END, FaultyLink } from './faulty-link.ts'
import type { LaneFaults } from './lane.ts'
import { type Inspection, relayMessages } from './message-relay.ts'
import type { PasswordExchange } from './password-exchange.ts'
import { dial, logIn } from './postgres-dialing.ts'
import { readStartupPacket } from './startup-reader.ts'
import type { PostgresAddress } from './tenant.ts'
import {
  backendKeyData,
  CANCEL_REQUEST,
  cancelledKey,
  cancelRequest,
  errorSqlstate,
  type FatalError,
  fatalErrorResponse,
  type Message,
  parameterStatus,
  parseStartupMessage,
  passwordMessage,
  SSL_REQUEST,
  type StartupMessage,
  startupPacketCode,
} from './wire-protocol.ts'

/** `kill` resets the connection on both sides instead of passing the message on. */
export type Verdict = 'forward' | 'drop' | 'kill'
/** Sees a message before it is passed on; `type` is the protocol's letter. */
export type MessageHook = (connection: ProxiedConnection, type: string, payload: Buffer) => Verdict

/** The settings of the stand-in for a connection, read anew each time. */
export interface Front extends LaneFaults {
  readonly counts: Counts
  readonly cancelKeys: CancelKeys
  readonly secureContext: SecureContext
  readonly acceptsTls: boolean
  /** Attempts to reach PostgreSQL are repeated, as the Cloud does; otherwise the client is reset after the first. */
  readonly redials: boolean
  readonly crdbVersion: string | undefined
  readonly beforeLogin: (() => Promise<void>) | undefined
  readonly exchangePassword: PasswordExchange | undefined
  readonly onClientMessage: MessageHook | undefined
  readonly onServerMessage: MessageHook | undefined
  admit(startup: StartupMessage, servername: string | undefined): Admission | FatalError
  /** The answer to a client that does not ask for TLS. */
  refuseWithoutTls(packet: Buffer): FatalError
  /** A login to the cluster was answered. */
  loggedIn(cluster: string | undefined, succeeded: boolean): void
}

const AUTHENTICATION_CLEARTEXT_PASSWORD = 3
const INVALID_PASSWORD = '28P01'
const INVALID_AUTHORIZATION = '28000'

export class ProxiedConnection {
  /** Milliseconds since the epoch. */
  readonly openedAt = Date.now()
  /** The TLS server name, if the client sent one. */
  host: string | undefined
  /** `<name>-<tenant id>`; undefined for an ordinary server. */
  cluster: string | undefined
  user: string | undefined
  application_name: string | undefined
  /** True from AuthenticationOk on. */
  isAuthenticated = false

  readonly #front: Front
  readonly #link: FaultyLink
  readonly #closed = new AbortController()
  #backend: Socket | undefined
  #key: Buffer | undefined
  #asksInClearText = false
  #hasSentPassword = false
  #hasClientEnded = false

  constructor(socket: Socket, front: Front) {
    this.#front = front
    this.#link = new FaultyLink(socket, front, () => front.counts)
    this.#link.on('error', () => undefined)
    this.#link.once('close', () => this.#close())
    this.#link.once(CLIENT_END, () => {
      this.#hasClientEnded = true
    })
  }

  /** Aborted when the connection is over. */
  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /** FIN to both sides, without TLS's close_notify, as when the Cloud ends a connection. Resolves when it is sent. */
  end(): Promise<void> {
    this.#backend?.end()
    return this.#link.sendFin()
  }

  /** RST to the client, FIN to PostgreSQL. */
  reset(): void {
    this.#backend?.end()
    this.#link.sendReset()
  }

  /** From now on nothing arrives on either side, and neither learns that the connection is lost. */
  blackHole(): void {
    this.#link.blackHole()
  }

  /** Holds everything back, both ways, until `resume()`. */
  pause(): void {
    this.#link.pauseBoth()
  }

  resume(): void {
    this.#link.resumeBoth()
  }

  /** Destroys all sockets, those of a black hole too. */
  destroy(): void {
    this.#link.destroyBoth()
    this.#close()
  }

  /** Does what the proxy does until messages are relayed. Never rejects: an error destroys the connection. */
  async serve(): Promise<void> {
    try {
      const client = await this.#acceptTls()
      if (client !== undefined) await this.#startUp(client)
    } catch {
      this.destroy()
    }
  }

  async #acceptTls(): Promise<Duplex | undefined> {
    const link = this.#link
    let packet: Buffer | undefined
    try {
      packet = await readStartupPacket(link)
    } catch {
      // A TLS hello without SSLRequest lands here: the client finds clear text where TLS should be.
      link.end(fatalErrorResponse({ sqlstate: '08C00', message: 'internal server error' }))
      return undefined
    }
    if (packet === undefined || startupPacketCode(packet) === CANCEL_REQUEST) {
      link.end()
      return undefined
    }
    if (startupPacketCode(packet) !== SSL_REQUEST) {
      link.end(fatalErrorResponse(this.#front.refuseWithoutTls(packet)))
      return undefined
    }
    if (!this.#front.acceptsTls) {
      link.end('N')
      return undefined
    }
    link.write('S')
    const client = new TLSSocket(link, { isServer: true, secureContext: this.#front.secureContext })
    // A client may refuse the certificate; 'close' follows.
    client.on('error', () => undefined)
    client.once('close', () => link.destroy())
    client.once('secure', () => {
      this.#front.counts.tls += 1
      const servername: unknown = Reflect.get(client, 'servername')
      this.host = typeof servername === 'string' ? servername : undefined
    })
    // Not when it is secure: only a stream that is read reports a client that leaves in the middle of the handshake.
    return client
  }

  async #startUp(client: Duplex): Promise<void> {
    const packet = await readStartupPacket(client)
    if (packet === undefined) return this.destroy()
    if (startupPacketCode(packet) === CANCEL_REQUEST) return await this.#cancel(client, packet)
    const startup = parseStartupMessage(packet)
    this.#front.counts.startups += 1
    this.#front.counts.startupTimes.push(Date.now())
    this.user = startup.parameters.get('user')
    this.application_name = startup.parameters.get('application_name')
    const admission = this.#front.admit(startup, this.host)
    if ('sqlstate' in admission) {
      client.end(fatalErrorResponse(admission))
      return
    }
    this.cluster = admission.cluster
    await this.#front.beforeLogin?.()
    const isWanted = (): boolean => !this.closed.aborted && !this.#hasClientEnded
    const backend = await logIn(admission, { redials: this.#front.redials, isWanted, signal: this.closed })
    if (backend === undefined) return this.reset()
    this.#backend = backend
    const kill = (): void => this.reset()
    const options = startup.parameters.get('options') ?? ''
    const exchange = (password: string) => this.#exchangePassword(password, options, client, backend)
    relayMessages(client, backend, (message) => this.#fromClient(message, exchange), kill)
    relayMessages(backend, client, (message) => this.#fromServer(message, admission.postgres), kill)
  }

  async #exchangePassword(password: string, options: string, client: Duplex, backend: Socket): Promise<void> {
    const result = await this.#front.exchangePassword?.({ user: this.user ?? '', options, password })
    if (typeof result === 'string') backend.write(passwordMessage(result))
    if (typeof result !== 'object') return
    this.#front.loggedIn(this.cluster, false)
    client.end(fatalErrorResponse(result))
    backend.destroy()
  }

  /** @param exchange of a password in clear text; PostgreSQL gets what comes of it */
  #fromClient({ type, payload, bytes }: Message, exchange: (password: string) => Promise<void>): Inspection {
    const verdict = this.#front.onClientMessage?.(this, type, payload) ?? 'forward'
    if (verdict !== 'forward') return verdict === 'kill' ? verdict : []
    if (type === 'p' && !this.#hasSentPassword) {
      this.#hasSentPassword = true
      this.#front.counts.logins += 1
      this.#front.counts.loginTimes.push(Date.now())
      if (this.#asksInClearText && this.#front.exchangePassword !== undefined) {
        exchange(payload.toString('utf8', 0, payload.length - 1)).catch(() => this.destroy())
        return []
      }
    }
    return [bytes]
  }

  #fromServer({ type, payload, bytes }: Message, postgres: PostgresAddress): Inspection {
    const verdict = this.#front.onServerMessage?.(this, type, payload) ?? 'forward'
    if (verdict !== 'forward') return verdict === 'kill' ? verdict : []
    if (this.isAuthenticated && type !== 'K') return [bytes]
    if (type === 'K') return [backendKeyData(this.#replaceKey(postgres, payload))]
    if (type === 'E') {
      const sqlstate = errorSqlstate(payload)
      if (sqlstate === INVALID_PASSWORD || sqlstate === INVALID_AUTHORIZATION) this.#front.loggedIn(this.cluster, false)
    }
    this.#asksInClearText = type === 'R' && payload.readInt32BE(0) === AUTHENTICATION_CLEARTEXT_PASSWORD
    const isAuthenticationOk = type === 'R' && payload.readInt32BE(0) === 0
    if (!isAuthenticationOk) return [bytes]
    this.isAuthenticated = true
    this.#front.counts.authOk += 1
    this.#front.loggedIn(this.cluster, true)
    const { crdbVersion } = this.#front
    return crdbVersion === undefined ? [bytes] : [bytes, parameterStatus('crdb_version', crdbVersion)]
  }

  #replaceKey(postgres: PostgresAddress, key: Buffer): Buffer {
    // A copy: the payload is a view of a whole chunk, which would stay in memory.
    this.#key = this.#front.cancelKeys.replace({ postgres, key: Buffer.from(key) })
    return this.#key
  }

  async #cancel(client: Duplex, packet: Buffer): Promise<void> {
    const target = this.#front.cancelKeys.find(cancelledKey(packet))
    if (target !== undefined) {
      this.#front.counts.cancels += 1
      const backend = await dial(target.postgres)
      if (backend !== undefined) {
        this.#backend = backend
        // PostgreSQL closes when it has passed the signal on; the client waits for that.
        backend.end(cancelRequest(target.key)).resume()
        await once(backend, 'close')
      }
    }
    client.end()
  }

  #close(): void {
    if (this.closed.aborted) return
    this.#closed.abort()
    this.#backend?.destroySoon()
    if (this.#key !== undefined) this.#front.cancelKeys.delete(this.#key)
  }
}
