/** One client's way through the stand-in: SSLRequest, TLS, start-up, then messages both ways; and its faults. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Admission } from './admission.ts'
import type { CancelKeys } from './cancel-keys.ts'
import type { Counts } from './counts.ts'
import { CLIENT_END, FaultyLink } from './faulty-link.ts'
import type { LaneFaults } from './lane.ts'
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
  MessageSplitter,
  parameterStatus,
  parseStartupMessage,
  SSL_REQUEST,
  type StartupMessage,
  startupMessage,
  startupPacketCode,
} from './wire-protocol.ts'

/** `kill` resets the connection on both sides instead of passing the message on. */
export type Verdict = 'forward' | 'drop' | 'kill'
/** Sees a message before it is passed on; `type` is the protocol's letter. */
export type MessageHook = (connection: ProxiedConnection, type: string, payload: Buffer) => Verdict

/** What a connection needs to know of the stand-in, read anew each time. */
export interface Front extends LaneFaults {
  readonly counts: Counts
  readonly cancelKeys: CancelKeys
  readonly secureContext: SecureContext
  readonly acceptsTls: boolean
  /** Connecting to PostgreSQL is tried again and again, as the Cloud does; otherwise the client is cut off. */
  readonly redials: boolean
  readonly crdbVersion: string | undefined
  readonly onClientMessage: MessageHook | undefined
  readonly onServerMessage: MessageHook | undefined
  admit(startup: StartupMessage, servername: string | undefined): Admission | FatalError
  /** The answer to a client that does not ask for TLS. */
  refuseWithoutTls(packet: Buffer): FatalError
  /** A login to the cluster was answered. */
  loggedIn(cluster: string | undefined, succeeded: boolean): void
}

const INVALID_PASSWORD = '28P01'
const INVALID_AUTHORIZATION = '28000'
const CANNOT_CONNECT_NOW = '57P03'
const MAX_WAIT_MS = 1_000

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

  /** FIN to both sides, without TLS's goodbye: what the client sees when the Cloud drops it. */
  end(): void {
    this.#link.sendFin()
    this.#backend?.end()
  }

  /** RST to the client, FIN to PostgreSQL. */
  reset(): void {
    this.#backend?.end()
    this.#link.sendReset()
  }

  /** Both sides go on believing in a connection over which nothing comes any more. */
  blackHole(): void {
    this.#link.swallow()
  }

  /** Holds everything back, both ways, until `resume()`. */
  pause(): void {
    this.#link.pauseBoth()
  }

  resume(): void {
    this.#link.resumeBoth()
  }

  /** Lets go of everything, black hole or not. */
  discard(): void {
    this.#link.discard()
    this.#close()
  }

  /** Plays the proxy until the messages flow by themselves. Never rejects: what goes wrong ends the connection. */
  async serve(): Promise<void> {
    try {
      const client = await this.#acceptTls()
      if (client !== undefined) await this.#startUp(client)
    } catch {
      this.discard()
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
    // A client that rejects the certificate is no fault of ours; 'close' follows.
    client.on('error', () => undefined)
    client.once('close', () => link.destroy())
    client.once('secure', () => {
      this.#front.counts.tls += 1
      const servername: unknown = Reflect.get(client, 'servername')
      this.host = typeof servername === 'string' ? servername : undefined
    })
    // Not when it is secure: only a stream that is read tells when a client leaves in the middle of the handshake.
    return client
  }

  async #startUp(client: Duplex): Promise<void> {
    const packet = await readStartupPacket(client)
    if (packet === undefined) return this.discard()
    if (startupPacketCode(packet) === CANCEL_REQUEST) return await this.#cancel(client, packet)
    const startup = parseStartupMessage(packet)
    this.user = startup.parameters.get('user')
    this.application_name = startup.parameters.get('application_name')
    const admission = this.#front.admit(startup, this.host)
    if ('sqlstate' in admission) {
      client.end(fatalErrorResponse(admission))
      return
    }
    this.cluster = admission.cluster
    const backend = await this.#reach(admission)
    if (backend === undefined) return this.reset()
    this.#backend = backend
    this.#relay(client, backend, (message) => this.#fromClient(message))
    this.#relay(backend, client, (message) => this.#fromServer(message, admission.postgres))
  }

  /** A PostgreSQL that has begun to answer. The Cloud dials without bound, so that the client meets its own time limit. */
  async #reach({ postgres, startup }: Admission): Promise<Socket | undefined> {
    for (let waitMs = 20; !this.closed.aborted && !this.#hasClientEnded; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      const backend = await dial(postgres)
      backend?.write(startupMessage(startup))
      const answer = backend === undefined ? undefined : await peek(backend)
      // A CockroachDB server that is starting does not listen yet; PostgreSQL says so in an error.
      const isReady = answer !== undefined && !(this.#front.redials && isStartingUp(answer))
      if (isReady && !this.closed.aborted) return backend
      backend?.destroy()
      if (!this.#front.redials) return undefined
      await sleep(waitMs, undefined, { signal: this.closed })
    }
    return undefined
  }

  /** Passes messages on until the source ends; chunks stay chunks, as far as nothing is taken out of them. */
  #relay(source: Duplex, target: Duplex, inspect: (message: Message) => readonly Buffer[] | 'kill'): void {
    const splitter = new MessageSplitter()
    const write = (parts: readonly Buffer[]): void => {
      if (parts.length === 0 || !target.writable) return
      if (target.write(Buffer.concat(parts))) return
      source.pause()
      target.once('drain', () => source.resume())
    }
    source.on('data', (chunk: Buffer) => {
      const parts: Buffer[] = []
      for (const message of splitter.push(chunk)) {
        const verdict = inspect(message)
        if (verdict === 'kill') {
          write(parts)
          this.reset()
          return
        }
        parts.push(...verdict)
      }
      write(parts)
    })
    source.once('end', () => target.end())
    source.once('close', () => target.end())
    source.resume()
  }

  #fromClient({ type, payload, bytes }: Message): readonly Buffer[] | 'kill' {
    const verdict = this.#front.onClientMessage?.(this, type, payload) ?? 'forward'
    if (verdict !== 'forward') return verdict === 'kill' ? verdict : []
    if (type === 'p' && !this.#hasSentPassword) {
      this.#hasSentPassword = true
      this.#front.counts.logins += 1
      this.#front.counts.loginTimes.push(Date.now())
    }
    return [bytes]
  }

  #fromServer({ type, payload, bytes }: Message, postgres: PostgresAddress): readonly Buffer[] | 'kill' {
    const verdict = this.#front.onServerMessage?.(this, type, payload) ?? 'forward'
    if (verdict !== 'forward') return verdict === 'kill' ? verdict : []
    if (this.isAuthenticated && type !== 'K') return [bytes]
    if (type === 'K') return [backendKeyData(this.#replaceKey(postgres, payload))]
    if (type === 'E') {
      const sqlstate = errorSqlstate(payload)
      if (sqlstate === INVALID_PASSWORD || sqlstate === INVALID_AUTHORIZATION) this.#front.loggedIn(this.cluster, false)
    }
    const isAuthenticationOk = type === 'R' && payload.readInt32BE(0) === 0
    if (!isAuthenticationOk) return [bytes]
    this.isAuthenticated = true
    this.#front.counts.authOk += 1
    this.#front.loggedIn(this.cluster, true)
    const { crdbVersion } = this.#front
    return crdbVersion === undefined ? [bytes] : [bytes, parameterStatus('crdb_version', crdbVersion)]
  }

  #replaceKey(postgres: PostgresAddress, key: Buffer): Buffer {
    // A copy: the payload is a window on a chunk that would be kept alive by it.
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
    if (this.#key !== undefined) this.#front.cancelKeys.forget(this.#key)
  }
}

async function dial({ host = '127.0.0.1', port }: PostgresAddress): Promise<Socket | undefined> {
  const backend = connect(port, host).setNoDelay(true)
  try {
    await once(backend, 'connect')
    // 'close' follows, and is all that matters.
    return backend.on('error', () => undefined)
  } catch {
    return undefined
  }
}

/** The first bytes from a server, left in its stream; undefined when it closes without any. */
async function peek(backend: Socket): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    backend.once('close', () => resolve(undefined))
    backend.once('data', (chunk: Buffer) => {
      backend.pause()
      backend.unshift(chunk)
      resolve(chunk)
    })
  })
}

function isStartingUp(answer: Buffer): boolean {
  const [message] = new MessageSplitter().push(answer)
  return message?.type === 'E' && errorSqlstate(message.payload) === CANNOT_CONNECT_NOW
}
