/** What all copies of this package in a process share: the layer's and a bundled one, or the npm package twice. */

/**
 * The value under `name`, made by the first copy that needs it.
 *
 * @param name with a number at its end, which goes up when the shape of the value changes: copies that differ in it
 * have values of their own
 */
export function processWide<Value extends object>(name: string, make: () => Value): Value {
  // Not checked: the number in the name means that every copy stores the same shape.
  const shared = globalThis as unknown as Record<symbol, Value | undefined>
  const key = Symbol.for(`cockroach-lambda.${name}`)
  shared[key] ??= make()
  return shared[key]
}
