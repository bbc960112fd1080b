/** Asks the server to stop a statement, over a connection of its own, as the protocol has it. */
import type { ClientConfig } from 'pg'
import type { CheckedConnectionClass } from './checked-connection.ts'
import { clearTextStream } from './pg.ts'

export interface CancelTarget {
  /** Name, address, or the folder of a Unix socket. */
  readonly host: string
  readonly port: number
  readonly ssl: ClientConfig['ssl']
  readonly processID: number
  readonly secretKey: number
}

/** How long a request goes on that its caller waits for no longer: to connect may take longer than a caller may wait. */
const GO_ON_MS = 2000

/**
 * Sends CancelRequest and waits until the server has closed the connection, or for `waitMs`: the request then goes on,
 * and keeps no process from ending. Never rejects: there is no answer, and nothing to be done when it fails.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS
 */
export function cancelRequest(
  CheckedConnection: CheckedConnectionClass,
  { host, port, ssl, processID, secretKey }: CancelTarget,
  waitMs: number,
): Promise<void> {
  const connection = new CheckedConnection({ ssl, ...(ssl === false && clearTextStream(host)) })
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      connection.stream.destroy()
      resolve()
    }
    let timer = setTimeout(() => {
      connection.stream.unref()
      timer = setTimeout(done, GO_ON_MS).unref()
      resolve()
    }, waitMs)
    connection.on('connect', () => (ssl === false ? connection.cancel(processID, secretKey) : connection.requestSsl()))
    connection.on('sslconnect', () => connection.cancel(processID, secretKey))
    connection.on('error', done)
    connection.on('end', done)
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`)
    else connection.connect(port, host)
  })
}
