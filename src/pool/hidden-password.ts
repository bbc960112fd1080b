/** Keeps the password of a login where nothing prints it. */

/**
 * Turns the property `password` of pg's objects into one of accessors over a closure: hidden properties are printed by
 * `inspect` with `showHidden`, what a closure holds is not.
 */
export function hidePassword(holder: { password: unknown }): void {
  let { password } = holder
  const set = (value: unknown): void => {
    password = value
  }
  Object.defineProperty(holder, 'password', { get: () => password, set, enumerable: false })
}
