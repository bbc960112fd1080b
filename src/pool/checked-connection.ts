/** pg's protocol connection, which ends with an error when the server sends what cannot be taken; the process goes on. */
import type { Socket } from 'node:net'
import { ConnectionError } from '../base/connection-error.ts'
import type { LoginRequirements } from './login-order.ts'
import type { ConnectionConfig, ProtocolConnection, ProtocolConnectionClass } from './pg.ts'
import { ProtocolError } from './protocol-error.ts'
import { ServerMessages } from './server-messages.ts'

/** What pg's code throws over a message, and a listener that it calls, has no code of ours. */
function asError(cause: unknown): Error {
  if (cause instanceof ProtocolError || cause instanceof ConnectionError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  return new ProtocolError(`what the server sent could not be handled: ${message}`, { cause })
}

interface CheckedConnectionConfig extends ConnectionConfig {
  readonly requirements?: LoginRequirements
}

export type CheckedConnectionClass = new (config: CheckedConnectionConfig) => ProtocolConnection

/** The class over a copy of pg's. */
export function checkedConnectionClass(Connection: ProtocolConnectionClass): CheckedConnectionClass {
  return class CheckedConnection extends Connection {
    readonly #requirements: LoginRequirements | undefined

    constructor(config: CheckedConnectionConfig) {
      super(config)
      this.#requirements = config.requirements
    }

    /** Called by pg for the socket that the messages come from: with TLS, the one inside. */
    override attachListeners(stream: Socket): void {
      const messages = new ServerMessages(this.ssl !== false, this.#requirements)
      // Thrown on, an error would end the process: nothing of ours is between a socket's events and Node.
      const guarded =
        <Chunk>(read: (chunk: Chunk) => unknown) =>
        (chunk: Chunk): boolean => {
          try {
            return read(chunk) !== false
          } catch (error) {
            stream.destroy(asError(error))
            return false
          }
        }
      const push = stream.push.bind(stream)
      // Not in a listener, for pg-copy-streams reads from the socket itself.
      stream.push = guarded((chunk: Buffer | null) => {
        const complete = chunk && messages.take(chunk)
        return complete === undefined || push(complete)
      })
      super.attachListeners({
        on: (event, listener) => stream.on(event, event === 'data' ? guarded(listener) : listener),
      })
    }
  }
}
