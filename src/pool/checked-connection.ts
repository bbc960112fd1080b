/** pg's protocol connection, which ends with an error when the server sends what cannot be taken; the process goes on. */
import type { Socket } from 'node:net'
import { ConnectionError } from '../base/connection-error.ts'
import { Connection } from './pg.ts'
import { ProtocolError } from './protocol-error.ts'
import { ServerMessages } from './server-messages.ts'

/** What pg's code throws over a message, and a listener that it calls, has no code of ours. */
function asError(cause: unknown): Error {
  if (cause instanceof ProtocolError || cause instanceof ConnectionError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new ProtocolError(`what the server sent could not be handled: ${message}`, { cause })
}

export class CheckedConnection extends Connection {
  /** Called by pg for the socket that the messages come from: with TLS, the one inside. */
  override attachListeners(stream: Socket): void {
    const messages = new ServerMessages(this.ssl !== false)
    const checked = (listener: (bytes: Buffer) => void) => (chunk: Buffer) => {
      try {
        const complete = messages.take(chunk)
        if (complete !== undefined) listener(complete)
      } catch (error) {
        // Thrown on, it would end the process: nobody stands between a socket's events and Node.
        stream.destroy(asError(error))
      }
    }
    super.attachListeners({
      on: (event, listener) => stream.on(event, event === 'data' ? checked(listener) : listener),
    })
  }
}
