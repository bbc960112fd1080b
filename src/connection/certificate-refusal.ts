/** The hint for a server that wants a client certificate, or refuses the one it got. */
import type { ConnectionErrorCode } from '../base/connection-error.ts'
import type { ClientCertificate } from './client-certificate.ts'

/** Alerts of TLS about the client's certificate, by Node's codes. TLS 1.3 reports them after the handshake. */
const ALERT = /_ALERT_(?:\w*CERTIFICATE|UNKNOWN_CA)/
const INVALID_AUTHORIZATION_SPECIFICATION = '28000'

/** The common name, which is the user's for PostgreSQL and CockroachDB. */
export function commonName({ leaf }: ClientCertificate): string {
  return /^CN=(.*)$/m.exec(leaf.subject)?.[1] ?? ''
}

function reasonOf(certificate: ClientCertificate, isAlert: boolean, user: string): string {
  if (!isAlert) {
    return commonName(certificate) === user
      ? 'is accepted: may its user log in with one, and to this database (pg_hba.conf)?'
      : `is not of user "${user}": issue one with that name, or have the server map it (pg_ident.conf).`
  }
  const { validFrom, validTo } = certificate.leaf
  if (Date.parse(validTo) < Date.now()) return `expired on ${validTo}.`
  if (Date.parse(validFrom) > Date.now()) return `is not valid before ${validFrom}.`
  return 'is refused: does the server know its authority, and does sslcert hold those between?'
}

/**
 * Undefined for an error that has nothing to do with the certificate. A refused one is `ERR_AUTHENTICATION`: as with a
 * password, the secret may hold another one by now.
 */
export function certificateRefusal(
  code: string,
  message: string,
  user: string,
  certificate: ClientCertificate | undefined,
): { readonly code: ConnectionErrorCode; readonly hint: string } | undefined {
  const isAlert = ALERT.test(code)
  if (!isAlert && code !== INVALID_AUTHORIZATION_SPECIFICATION) return undefined
  if (certificate !== undefined) {
    const hint = `The client certificate of "${commonName(certificate)}" ${reasonOf(certificate, isAlert, user)}`
    return { code: 'ERR_AUTHENTICATION', hint }
  }
  if (!isAlert && !message.includes('client certificate')) return undefined
  const hint = 'The server wants a client certificate: set sslcert and sslkey.'
  return { code: isAlert ? 'ERR_TLS' : 'ERR_AUTHENTICATION', hint }
}
