/** The steps from TCP to a verified server, on a connection of pg's that is closed before the login begins. */
import { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { connectError } from '../../src/connection/connect-error.ts'
import type { Destination } from '../../src/connection/source.ts'
import { tlsOptions } from '../../src/connection/tls.ts'
import { watchHandshake } from '../../src/connection/tls-error.ts'
import { type CertificateReport, describeChain } from '../../src/health-check.ts'
import { bundledPg } from '../../src/pool/bundled-pg.ts'
import { checkedConnectionClass } from '../../src/pool/checked-connection.ts'
import { clearTextStream, type ProtocolConnection } from '../../src/pool/pg.ts'

const DEFAULT_LIMIT_SECONDS = 5

function isTlsSocket(stream: object): stream is TLSSocket {
  return 'encrypted' in stream
}

/** A chain as certificates are reported; a root certificate's file is read alike. */
export function describeCertificates(ca: readonly string[], now: number): readonly CertificateReport[] {
  return ca.map((pem) => {
    const { subject, issuer, validTo, fingerprint256 } = new X509Certificate(pem)
    const until = new Date(validTo)
    return {
      subject: commonName(subject),
      issuer: commonName(issuer),
      validTo: until.toISOString(),
      daysLeft: Math.floor((until.getTime() - now) / 86_400_000),
      fingerprint256,
    }
  })
}

/** Of a name in OpenSSL's lines. */
function commonName(name: string): string {
  const parts = new Map(
    name.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  )
  return parts.get('CN') ?? parts.get('O') ?? parts.get('OU') ?? 'unnamed'
}

export class Probe {
  readonly #destination: Destination
  readonly #connection: ProtocolConnection
  readonly #limitMs: number
  readonly #failed = Promise.withResolvers<never>()
  /** What the server presented: known too if it was not trusted. */
  presented: readonly CertificateReport[] = []

  constructor(destination: Destination) {
    const { parameters, rootCertificate, clientCertificate } = destination
    const { host, sslmode, connect_timeout } = parameters
    this.#destination = destination
    this.#limitMs = 1000 * Math.min(connect_timeout || DEFAULT_LIMIT_SECONDS, DEFAULT_LIMIT_SECONDS)
    const ssl = tlsOptions(sslmode, rootCertificate.ca, clientCertificate)
    const CheckedConnection = checkedConnectionClass(bundledPg.Connection)
    this.#connection = new CheckedConnection({
      // As the pool's opener gives it to pg.
      ssl: ssl === false ? false : { ...ssl, host, ca: ssl.ca === undefined ? undefined : [...ssl.ca] },
      ...(ssl === false && clearTextStream(host)),
    })
    this.#failed.promise.catch(() => undefined)
    this.#connection.on('error', (error) => this.#failed.reject(error))
    this.#connection.on('end', () => this.#failed.reject(new Error('Connection terminated unexpectedly')))
  }

  /** TCP, or the Unix socket; resolves to the address that was reached. @throws ConnectionError */
  connect(): Promise<string> {
    const { host, port } = this.#destination.parameters
    return this.#until('connect', () => {
      if (host.startsWith('/')) this.#connection.connect(`${host}/.s.PGSQL.${port}`)
      else this.#connection.connect(port, host)
    }).then(() => {
      const { remoteAddress, remotePort } = this.#connection.stream
      return remoteAddress === undefined ? `${host}/.s.PGSQL.${port}` : `${remoteAddress}, port ${remotePort}`
    })
  }

  /** Asks for TLS, and begins the handshake when the server agrees. @throws ConnectionError */
  requestTls(): Promise<TLSSocket> {
    return this.#until('sslconnect', () => this.#connection.requestSsl()).then(() => {
      const { stream } = this.#connection
      if (!isTlsSocket(stream)) throw new TypeError('there is no TLS')
      return stream
    })
  }

  /** Chain and host name, verified by Node as for every connection. @throws ConnectionError */
  async verify(stream: TLSSocket): Promise<void> {
    const verified = Promise.withResolvers<void>()
    stream.once('secureConnect', verified.resolve)
    await this.#inTime(verified.promise)
  }

  close(): void {
    this.#connection.stream.destroy()
  }

  #until(event: 'connect' | 'sslconnect', start: () => void): Promise<void> {
    const happened = Promise.withResolvers<void>()
    this.#connection.once(event, () => {
      if (event === 'sslconnect') this.#watch()
      happened.resolve()
    })
    start()
    return this.#inTime(happened.promise)
  }

  /** Before the handshake begins: a server that is not trusted is disconnected at its end, and its certificates are gone. */
  #watch(): void {
    const { stream } = this.#connection
    watchHandshake(stream)
    if (!isTlsSocket(stream)) return
    // Secrets are agreed on when the certificates have come, and before they are verified. The secrets are not looked at.
    stream.on('keylog', () => {
      const chain = describeChain(stream, Date.now())
      if (chain.length > 0) this.presented = chain
    })
  }

  async #inTime(work: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.#failed.reject(new Error('timeout expired')), this.#limitMs)
    try {
      await Promise.race([work, this.#failed.promise])
    } catch (error) {
      const { parameters, clientCertificate } = this.#destination
      throw connectError(error, parameters, [], undefined, clientCertificate)
    } finally {
      clearTimeout(timer)
    }
  }
}
