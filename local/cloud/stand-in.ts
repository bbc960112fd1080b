/** A stand-in for CockroachDB Cloud's SQL proxy, or for an ordinary server with TLS, before a real PostgreSQL; with faults on request. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { CertificateAuthority, ServerCertificate } from '../certificates.ts'
import { type Admission, admit } from './admission.ts'
import { CancelKeys } from './cancel-keys.ts'
import { Counts } from './counts.ts'
import type { Trickle } from './lane.ts'
import { LoginThrottle, type ThrottleLimits } from './login-throttle.ts'
import type { PasswordExchange } from './password-exchange.ts'
import { type Front, type MessageHook, ProxiedConnection } from './proxied-connection.ts'
import { refusalError, type Wording } from './refusals.ts'
import { type PostgresAddress, Tenant, type TenantOptions } from './tenant.ts'
import { type FatalError, parseStartupMessage, type StartupMessage } from './wire-protocol.ts'

export type { MessageHook, ProxiedConnection, Verdict } from './proxied-connection.ts'
export type { TenantOptions } from './tenant.ts'

/**
 * How new clients are refused: `tls` answers SSLRequest with `N`, `silence` accepts and sends nothing, `rst` resets at
 * once, an error is sent after the client was routed, instead of its cluster's answer, and a function answers on the
 * client's socket in its own way.
 */
export type Refuse = 'tls' | 'silence' | 'rst' | FatalError | ((socket: Socket) => void)

export interface CloudStandInOptions {
  /** The server behind, in clear text on loopback. */
  readonly postgres: PostgresAddress
  readonly authority: CertificateAuthority
  readonly tenants?: readonly TenantOptions[]
  /** The names in the certificate. @default every tenant's host */
  readonly hosts?: readonly string[]
  /** False: an ordinary server (or an Advanced cluster), which routes nothing and changes no parameter. @default true */
  readonly routing?: boolean
  /** @default 'current' */
  readonly wording?: Wording
  /** @default no client is throttled */
  readonly throttle?: ThrottleLimits
  /** Sent to clients as the parameter `crdb_version`, by which they recognise a CockroachDB server. @default not sent */
  readonly crdbVersion?: string
}

export class CloudStandIn {
  /** By cluster. Tenants may be changed, added and deleted while the stand-in runs. */
  readonly tenants = new Map<string, Tenant>()
  /** One-way latency in milliseconds, both directions, below TLS: a round trip takes twice as long. */
  delayMs = 0
  /** Bytes to clients are sent in small pieces. */
  trickle: Trickle | undefined
  refuse: Refuse | undefined
  /** Called with every message from a client after start-up; decides whether it is passed on. */
  onClientMessage: MessageHook | undefined
  /** Called with every message from the server; decides whether it is passed on. */
  onServerMessage: MessageHook | undefined
  crdbVersion: string | undefined
  /** Awaited before an admitted client is connected to its cluster. */
  beforeLogin: (() => Promise<void>) | undefined
  /** Checks what a client sends when PostgreSQL asks for its password in clear text, and returns what PostgreSQL gets. */
  exchangePassword: PasswordExchange | undefined

  readonly #postgres: PostgresAddress
  readonly #routing: boolean
  readonly #wording: Wording
  readonly #throttle = new LoginThrottle()
  readonly #cancelKeys = new CancelKeys()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #open = new Set<ProxiedConnection>()
  #counts = new Counts()
  #certificate: ServerCertificate
  #secureContext: SecureContext

  private constructor(options: CloudStandInOptions, certificate: ServerCertificate, server: Server) {
    this.#postgres = options.postgres
    this.#routing = options.routing ?? true
    this.#wording = options.wording ?? 'current'
    this.crdbVersion = options.crdbVersion
    this.#throttle.limits = options.throttle
    for (const tenant of options.tenants ?? []) this.addTenant(tenant)
    this.#certificate = certificate
    this.#secureContext = secureContext(certificate)
    this.#server = server
    server.on('connection', (socket) => this.#accept(socket))
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: CloudStandInOptions): Promise<CloudStandIn> {
    const hosts = options.hosts ?? (options.tenants ?? []).map((tenant) => new Tenant(tenant, options.postgres).host)
    const certificate = await options.authority.issue({ hosts })
    const server = createServer({ allowHalfOpen: true })
    const standIn = new CloudStandIn(options, certificate, server)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return standIn
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the stand-in is stopped')
    return address.port
  }

  /** The certificate that new connections are shown; may be changed at any time. */
  get certificate(): ServerCertificate {
    return this.#certificate
  }

  set certificate(certificate: ServerCertificate) {
    this.#secureContext = secureContext(certificate)
    this.#certificate = certificate
  }

  get throttle(): ThrottleLimits | undefined {
    return this.#throttle.limits
  }

  set throttle(limits: ThrottleLimits | undefined) {
    this.#throttle.limits = limits
  }

  get counts(): Readonly<Counts> {
    return this.#counts
  }

  get loginTimes(): readonly number[] {
    return this.#counts.loginTimes
  }

  resetCounts(): void {
    this.#counts = new Counts()
  }

  /** The connections that have logged in and are not closed, oldest first; black holes stay until `stop()`. */
  get connections(): readonly ProxiedConnection[] {
    return [...this.#open].filter((connection) => connection.isAuthenticated)
  }

  /** @throws Error when there is no such tenant */
  tenant(cluster: string): Tenant {
    const tenant = this.tenants.get(cluster)
    if (tenant === undefined) throw new Error(`the stand-in has no cluster ${cluster}`)
    return tenant
  }

  /** The certificate contains only hosts of tenants with which the stand-in was started. */
  addTenant(options: TenantOptions): Tenant {
    const tenant = new Tenant(options, this.#postgres)
    this.tenants.set(tenant.cluster, tenant)
    return tenant
  }

  /** Every open connection becomes a black hole; new ones work. */
  blackHoleAll(): void {
    for (const connection of this.#open) connection.blackHole()
  }

  /** Closes the port and every connection. May be called twice. */
  async stop(): Promise<void> {
    for (const connection of this.#open) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #accept(socket: Socket): void {
    this.#counts.tcp += 1
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (this.refuse === 'rst') socket.resetAndDestroy()
    else if (this.refuse === 'silence') acceptSilently(socket)
    else if (typeof this.refuse === 'function') this.refuse(socket)
    else void this.#serve(socket)
  }

  async #serve(socket: Socket): Promise<void> {
    const connection = new ProxiedConnection(socket, this.#front())
    this.#open.add(connection)
    connection.closed.addEventListener('abort', () => this.#open.delete(connection))
    await connection.serve()
  }

  /** A live view: a connection sees every change at once. */
  #front(): Front {
    const standIn = this
    return {
      cancelKeys: standIn.#cancelKeys,
      redials: standIn.#routing,
      secureContext: standIn.#secureContext,
      get counts() {
        return standIn.#counts
      },
      get delayMs() {
        return standIn.delayMs
      },
      get trickle() {
        return standIn.trickle
      },
      get acceptsTls() {
        return standIn.refuse !== 'tls'
      },
      get crdbVersion() {
        return standIn.crdbVersion
      },
      get onClientMessage() {
        return standIn.onClientMessage
      },
      get beforeLogin() {
        return standIn.beforeLogin
      },
      get exchangePassword() {
        return standIn.exchangePassword
      },
      get onServerMessage() {
        return standIn.onServerMessage
      },
      admit: (startup, servername) => standIn.#admit(startup, servername),
      refuseWithoutTls: (packet) => standIn.#refuseWithoutTls(packet),
      loggedIn: (cluster = '', succeeded) => {
        if (succeeded) standIn.#throttle.succeeded(cluster)
        else standIn.#throttle.failed(cluster)
      },
    }
  }

  #admit(startup: StartupMessage, servername: string | undefined): Admission | FatalError {
    const rules = { routing: this.#routing, wording: this.#wording, postgres: this.#postgres }
    const admission = admit({ ...rules, tenants: this.tenants, throttle: this.#throttle }, startup, servername)
    return typeof this.refuse === 'object' && 'startup' in admission ? this.refuse : admission
  }

  #refuseWithoutTls(packet: Buffer): FatalError {
    if (this.#routing) return refusalError({ reason: 'server requires encryption' }, this.#wording)
    // What PostgreSQL says when pg_hba.conf has `hostssl` lines only.
    const { parameters } = parseStartupMessage(packet)
    const who = `user "${parameters.get('user') ?? ''}", database "${parameters.get('database') ?? ''}"`
    return { sqlstate: '28000', message: `no pg_hba.conf entry for host "127.0.0.1", ${who}, no encryption` }
  }
}

function secureContext({ certificate, privateKey }: ServerCertificate): SecureContext {
  return createSecureContext({ cert: certificate, key: privateKey, minVersion: 'TLSv1.2' })
}

function acceptSilently(socket: Socket): void {
  socket.on('error', () => undefined).resume()
  // Otherwise the connection would stay half-open after the client has ended it.
  socket.once('end', () => socket.end())
}
