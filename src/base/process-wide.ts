/** What all copies of this package in a process share: the layer's and a bundled one, or the npm package twice. */

/**
 * The value under `name`, made by the copy that asks first.
 *
 * @param name with a number at its end, which goes up when the shape of the value changes: copies that differ in it
 * keep values of their own
 */
export function processWide<Value extends object>(name: string, make: () => Value): Value {
  // Stated, not checked: under a name with this number every copy puts the same shape.
  const shared = globalThis as unknown as Record<symbol, Value | undefined>
  const key = Symbol.for(`cockroach-lambda.${name}`)
  shared[key] ??= make()
  return shared[key]
}
