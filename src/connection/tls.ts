/** Decides how a connection is encrypted: verified in full, or not at all if nothing leaves the machine. */
import { isIP, Socket } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import { ConnectionError } from '../base/connection-error.ts'
import { VERIFIED_TLS } from '../base/verified-tls.ts'
import type { SslMode } from '../connection-string/values.ts'
import type { ClientCertificate } from './client-certificate.ts'

/** Options for `tls.connect`, as pg takes them. */
export type TlsOptions = typeof VERIFIED_TLS & {
  /** Root certificates in PEM; Node's own when it is left out. */
  readonly ca?: readonly string[]
  /** Has the root certificates too, and the client certificate; left out with Node's own roots. */
  readonly secureContext?: SecureContext
}

/** A Unix socket, an address that never leaves the machine, or a name that should stand for one. */
export function isLocalHost(host: string): boolean {
  if (host.startsWith('/') || host === 'localhost' || host.endsWith('.localhost')) return true
  return (isIP(host) === 4 && host.startsWith('127.')) || host === '::1'
}

/** `ERR_TLS` for what `sslmode=disable` must not send. */
export function clearTextRefusal(host: string, what = 'everything'): ConnectionError {
  return new ConnectionError('ERR_TLS', `sslmode=disable would send ${what} to ${host} in clear text`, {
    hint: 'Set sslmode=verify-full; disable is accepted for loopback addresses and Unix sockets only.',
    safeToRetry: true,
  })
}

/** A loopback address as a socket reports it, mapped to IPv6 or not. */
const LOOPBACK_ADDRESS = /^(?:(?:::ffff:)?127\.|::1$)/

/** A socket for pg without TLS: it is destroyed if it reaches another machine, since a name may resolve to any address. */
export function loopbackSocket(host: string): Socket {
  const socket = new Socket()
  // In front of the listener of pg, which sends the user's name at once.
  return socket.once('connect', () => {
    const { remoteAddress = 'nowhere' } = socket
    if (!LOOPBACK_ADDRESS.test(remoteAddress)) socket.destroy(clearTextRefusal(`${host} (${remoteAddress})`))
  })
}

/**
 * What an `sslmode` means here: verify-full, for every weaker word; `disable` for local hosts only.
 *
 * @throws ConnectionError `ERR_TLS` for `disable` across a network.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-SSLMODE-STATEMENTS
 */
export function requireVerifyFull(
  sslmode: SslMode | undefined,
  host: string,
): { sslmode: 'verify-full' | 'disable'; warnings: readonly string[] } {
  if (host.startsWith('/')) return { sslmode: 'disable', warnings: [] }
  if (sslmode === undefined || sslmode === 'verify-full') return { sslmode: 'verify-full', warnings: [] }
  if (sslmode !== 'disable') {
    return {
      sslmode: 'verify-full',
      warnings: [`sslmode=${sslmode} is raised to verify-full: chain and host name are always verified`],
    }
  }
  if (isLocalHost(host)) return { sslmode: 'disable', warnings: [] }
  throw clearTextRefusal(host)
}

/** Of connections without a client certificate, one for each set of roots: making one takes a millisecond. */
const CONTEXTS = new WeakMap<readonly string[], SecureContext>()

function contextOf(ca: readonly string[]): SecureContext {
  const context = CONTEXTS.get(ca) ?? createSecureContext({ ...VERIFIED_TLS, ca: [...ca] })
  CONTEXTS.set(ca, context)
  return context
}

/**
 * pg's `ssl` setting for a mode, the root certificates and the client certificate. The key is passed inside a context:
 * as `key` it would be printed with pg's client, with its cancel requests and with Node's socket.
 */
export function tlsOptions(
  sslmode: 'verify-full' | 'disable',
  ca: readonly string[] | undefined,
  client?: ClientCertificate,
): TlsOptions | false {
  if (sslmode === 'disable') return false
  if (client !== undefined) {
    const context = { ...VERIFIED_TLS, ca: ca && [...ca], cert: client.cert, key: client.key.reveal() }
    return { ...VERIFIED_TLS, ...(ca && { ca }), secureContext: createSecureContext(context) }
  }
  return { ...VERIFIED_TLS, ...(ca && { ca, secureContext: contextOf(ca) }) }
}
