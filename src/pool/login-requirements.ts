/** Hangs up on a server that asks for another login than `require_auth` and `channel_binding` allow. */
import { ConnectionError } from '../base/connection-error.ts'
import type { ConnectionParameters } from '../connection/parameters.ts'
import type { ProtocolConnection } from './pg.ts'

export type LoginRequirements = Pick<ConnectionParameters, 'channel_binding' | 'require_auth'>

/**
 * Listens ahead of pg, which then sends nothing.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-REQUIRE-AUTH
 */
export function requireLogin(
  connection: ProtocolConnection,
  { channel_binding, require_auth }: LoginRequirements,
): void {
  const needsBinding = channel_binding === 'require'
  if (require_auth === undefined && !needsBinding) return
  const methods = require_auth?.split(',')
  const isForbidden = (method: string): boolean | undefined =>
    require_auth?.startsWith('!') ? methods?.includes(`!${method}`) : methods?.includes(method) === false
  let isDone = false
  const check = (method: string, isBound = false): void => {
    if (!isForbidden(method) && (isBound || !needsBinding)) return
    const error = new ConnectionError('ERR_CONNECT', `require_auth or channel_binding forbids a login by ${method}`, {
      hint: 'Is this the right server?',
      safeToRetry: true,
    })
    // At once: what the server says next may be that all is well.
    connection.emit('error', error)
    connection.stream.destroy()
  }
  const asks = (method: string) => () => {
    isDone = true
    check(method)
  }
  connection.on('authenticationCleartextPassword', asks('password'))
  connection.on('authenticationMD5Password', asks('md5'))
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    check('scram-sha-256', mechanisms.includes('SCRAM-SHA-256-PLUS'))
  })
  // Before this, the server has not shown that it knows the password.
  connection.on('authenticationSASLFinal', () => {
    isDone = true
  })
  connection.on('authenticationOk', () => {
    if (!isDone) check('none')
  })
}
