/** A server in the middle that offers clear text instead of TLS, and records what clients send. */
import type { Socket } from 'node:net'

/** AuthenticationCleartextPassword: a client that accepts it outside TLS sends its password. */
const ASK_FOR_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3])
/** AuthenticationOk and ReadyForQuery: as if the login were over. */
const LOGGED_IN = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49])

/** Ways to answer SSLRequest. */
export const ANSWERS: Readonly<Record<string, readonly Buffer[]>> = {
  'no TLS': [Buffer.from('N')],
  'no TLS, and a request for the password': [Buffer.concat([Buffer.from('N'), ASK_FOR_PASSWORD])],
  'no TLS, and a login that is over': [Buffer.from('N'), LOGGED_IN],
  'TLS, and a request for the password with it': [Buffer.concat([Buffer.from('S'), ASK_FOR_PASSWORD])],
  'TLS, and a request for the password behind it': [Buffer.from('S'), ASK_FOR_PASSWORD],
  'TLS, and a login that is over behind it': [Buffer.from('S'), LOGGED_IN],
  'an error': [Buffer.from('E')],
}

export class ClearTextServer {
  readonly #answer: readonly Buffer[]
  #received = ''

  constructor(answer: readonly Buffer[]) {
    this.#answer = answer
  }

  /** Everything that clients sent. */
  get received(): string {
    return this.#received
  }

  /** Answers on a client's socket. */
  readonly serve = (socket: Socket): void => {
    socket.setNoDelay(true).on('error', () => undefined)
    socket.once('end', () => socket.end())
    socket.on('data', (bytes) => {
      this.#received += bytes.toString('latin1')
    })
    socket.once('data', () => {
      for (const bytes of this.#answer) socket.write(bytes)
    })
  }
}
