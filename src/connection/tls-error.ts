/** The hint for an error of a TLS handshake. */
import type { Socket } from 'node:net'

const ended = new WeakSet<object>()

/** Records the error that ends a handshake: its code alone does not show that it is an error of TLS. */
export function watchHandshake(socket: Socket): void {
  const record = (error: Error): void => void ended.add(error)
  // In front of the listener of pg, which passes the error on at once.
  socket.prependOnceListener('error', record)
  socket.once('secureConnect', () => socket.off('error', record))
}

/** By Node's code and OpenSSL's words; the first that matches. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    // SELF_SIGNED_CERT_IN_CHAIN, UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERT_SIGNATURE_FAILURE and their like.
    /SELF_SIGNED|UNABLE_TO_|SIGNATURE_FAILURE|UNTRUSTED/,
    "Is the certificate authority right? Basic and Standard clusters: the layer's root.crt. Advanced clusters, RDS, Supabase, your own server: its CA, as sslrootcert or rootCertificate of the layer. Azure and other public CAs: sslrootcert=system.",
  ],
  [/CERT_HAS_EXPIRED/, 'A certificate of the server has expired; it must be renewed.'],
  [/NOT_YET_VALID/, 'A certificate of the server is not valid yet; is the clock right?'],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    'Set host to a name that the certificate has; a weaker mode would accept any server.',
  ],
  [/alert|ALERT/, 'The server ended the handshake: does it offer TLS 1.2 or newer?'],
  [/EPROTO|SSL/, 'Is this the port of the database? CockroachDB Cloud uses 26257.'],
]

/** Codes of errors before the handshake, or after it, where TLS 1.3 reports some. */
const OF_TLS = /^EPROTO$|^ERR_(OSSL|SSL|TLS)|CERT|CRL|LEAF/

/** The hint for an error of TLS; undefined for any other. */
export function tlsHint(error: object, code: string, message: string): string | undefined {
  if (!ended.has(error) && !OF_TLS.test(code)) return undefined
  const words = `${code} ${message}`
  return HINTS.find(([pattern]) => pattern.test(words))?.[1] ?? 'The server needs other certificates: see the message.'
}
