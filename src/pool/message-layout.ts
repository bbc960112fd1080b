/** The fields of a server's messages, and whether a message is complete and well-formed. */

/**
 * By type. A number is as many bytes, `s` a String, `l` Strings up to an empty one, `v` an Int32 and as many bytes (none
 * for -1), `x` anything. What follows `*` is repeated as often as the Int16 before it says.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
type Field = number | 's' | 'l' | 'v' | 'x' | '*'

const LAYOUTS: ReadonlyMap<string, readonly Field[]> = new Map<string, readonly Field[]>([
  ...['1', '2', '3', 'I', 'c', 'n', 's'].map((type) => [type, []] as const),
  ...['G', 'H', 'W'].map((type) => [type, [1, '*', 2]] as const),
  ['R', [4, 'x']],
  ['K', [8]],
  ['S', ['s', 's']],
  ['E', ['l']],
  ['N', ['l']],
  ['A', [4, 's', 's']],
  ['Z', [1]],
  ['T', ['*', 's', 18]],
  ['D', ['*', 'v']],
  ['C', ['s']],
  ['t', ['*', 4]],
  ['d', ['x']],
])

const CUT = Number.POSITIVE_INFINITY

/** True for a type that a server may send. */
export function isKnownType(type: string): boolean {
  return LAYOUTS.has(type)
}

/** Not by `indexOf()`, which leaves JavaScript: a name of a column takes it longer than this. */
function endOfString(bytes: Buffer, at: number, end: number): number {
  let to = at
  while (to < end && bytes[to] !== 0) to += 1
  return to + 1
}

function endOfValue(bytes: Buffer, at: number, end: number): number {
  const length = at + 4 > end ? CUT : bytes.readInt32BE(at)
  if (length >= 0) return at + 4 + length
  return length === -1 ? at + 4 : CUT
}

/** Where a field ends that begins at `at`; beyond `end` when it is cut. */
function endOfField(field: Field, bytes: Buffer, at: number, end: number): number {
  if (typeof field === 'number') return at + field
  if (field === 's') return endOfString(bytes, at, end)
  if (field === 'v') return endOfValue(bytes, at, end)
  if (field === 'x') return end
  let from = at
  let to = endOfString(bytes, from, end)
  for (; to > from + 1 && to < end; to = endOfString(bytes, from, end)) from = to
  return to > from + 1 ? CUT : to
}

/** Where the fields of a layout from the `first` on end, which begin at `start`; beyond `end` when one is cut. */
function endOfFields(layout: readonly Field[], first: number, bytes: Buffer, start: number, end: number): number {
  let at = start
  for (let index = first; index < layout.length && at <= end; index += 1) {
    const field = layout[index]
    if (field === '*') return endOfRepeated(layout, index + 1, bytes, at, end)
    if (field !== undefined) at = endOfField(field, bytes, at, end)
  }
  return at
}

function endOfRepeated(layout: readonly Field[], first: number, bytes: Buffer, start: number, end: number): number {
  let at = start + 2
  if (at > end) return CUT
  let count = bytes.readInt16BE(start)
  if (count < 0) return CUT
  // Rows come by the thousand.
  if (layout[first] === 'v') for (; count > 0 && at <= end; count -= 1) at = endOfValue(bytes, at, end)
  for (; count > 0 && at <= end; count -= 1) at = endOfFields(layout, first, bytes, at, end)
  return at
}

/** True when the fields of a message of this type fill the bytes from `start` to `end`. */
export function isWhole(type: string, bytes: Buffer, start: number, end: number): boolean {
  const layout = LAYOUTS.get(type)
  return layout !== undefined && endOfFields(layout, 0, bytes, start, end) === end
}
