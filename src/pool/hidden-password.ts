/** Keeps the password of a login where nothing prints it. */
import type { ClientInternals } from './pg.ts'

/**
 * Has pg's client know the password only while it answers a request for it, before any other code runs, and forget it when
 * the login is over: properties that are hidden are printed by `inspect` with `showHidden`, what a closure holds is not.
 *
 * Accessors in place of the property would hide it too, but V8 gives an object whose property is redefined a form in which
 * every access to it is slow: 5 to 10 µs a statement.
 */
export function hidePassword(client: ClientInternals): void {
  const { password: given, connection, connectionParameters } = client
  let known: unknown
  let isOver = false
  const hide = (): void => {
    if (isOver) known = undefined
    client.password = isOver ? null : ask
    connectionParameters.password = null
  }
  const ask = async (): Promise<unknown> => {
    known = typeof given === 'function' ? await given() : given
    // pg keeps it in its properties, and answers, in the microtasks before that.
    process.nextTick(hide)
    return known
  }
  const forget = (): void => {
    isOver = true
    hide()
  }
  // The second step of SCRAM, for which pg does not ask again.
  connection.on('authenticationSASLContinue', () => {
    client.password = known
    process.nextTick(hide)
  })
  connection.once('readyForQuery', forget).once('end', forget)
  hide()
}
