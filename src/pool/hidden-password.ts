/** Keeps the password of a login where nothing prints it. */
import type { ClientInternals } from './pg.ts'

/**
 * Has pg's client know the password only for the turn of the event loop in which it answers a request for it: properties
 * that are hidden are printed by `inspect` with `showHidden`, what a closure holds is not.
 *
 * Accessors in place of the property would hide it too, but V8 gives an object whose property is redefined a form in which
 * every access to it is slow: 10 µs a statement.
 */
export function hidePassword(client: ClientInternals): void {
  const { password: given, connection, connectionParameters } = client
  let known: unknown
  const hide = (): void => {
    client.password = ask
    connectionParameters.password = null
  }
  const ask = async (): Promise<unknown> => {
    known = typeof given === 'function' ? await given() : given
    // pg keeps it in its properties, and answers, before the event loop goes on.
    setImmediate(hide)
    return known
  }
  // The second step of SCRAM, for which pg does not ask again.
  connection.on('authenticationSASLContinue', () => {
    client.password = known
    setImmediate(hide)
  })
  connection.once('readyForQuery', () => {
    known = undefined
  })
  hide()
}
