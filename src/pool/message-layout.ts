/** The fields of a server's messages, and whether a message is complete and well-formed. */

/**
 * By type. `b` is a Byte1, `h` an Int16, `i` an Int32, `s` a String, `l` Strings up to an empty one, `v` an Int32 and as
 * many bytes (none for -1), `x` anything. What follows `*` is repeated as often as the Int16 before it says.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
const LAYOUTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ 1: '', 2: '', 3: '', I: '', c: '', n: '', s: '' },
    ...{ R: 'ix', K: 'ii', S: 'ss', E: 'l', N: 'l', A: 'iss', Z: 'b' },
    ...{ T: '*sihihih', D: '*v', C: 's', t: '*i' },
    ...{ G: 'b*h', H: 'b*h', W: 'b*h', d: 'x' },
  }),
)

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
function endOfField(kind: string, bytes: Buffer, at: number, end: number): number {
  if (kind === 'b') return at + 1
  if (kind === 'h') return at + 2
  if (kind === 'i') return at + 4
  if (kind === 'x') return end
  if (kind === 's') return endOfString(bytes, at, end)
  if (kind === 'v') return endOfValue(bytes, at, end)
  let from = at
  let to = endOfString(bytes, from, end)
  for (; to > from + 1 && to < end; to = endOfString(bytes, from, end)) from = to
  return to > from + 1 ? CUT : to
}

/** Where the fields of a layout end, of which the first begins at `start`; beyond `end` when one is cut. */
function endOfFields(layout: string, bytes: Buffer, start: number, end: number): number {
  let at = start
  for (let field = 0; field < layout.length && at <= end; field += 1) {
    const kind = layout.charAt(field)
    if (kind !== '*') at = endOfField(kind, bytes, at, end)
    else if (at + 2 > end) return CUT
    else return endOfRepeated(layout.slice(field + 1), bytes, at, end)
  }
  return at
}

function endOfRepeated(layout: string, bytes: Buffer, start: number, end: number): number {
  let at = start + 2
  let count = bytes.readInt16BE(start)
  if (count < 0) return CUT
  // Rows come by the thousand.
  if (layout === 'v') for (; count > 0 && at <= end; count -= 1) at = endOfValue(bytes, at, end)
  for (; count > 0 && at <= end; count -= 1) at = endOfFields(layout, bytes, at, end)
  return at
}

/** True when the fields of a message of this type fill the bytes from `start` to `end`. */
export function isWhole(type: string, bytes: Buffer, start: number, end: number): boolean {
  const layout = LAYOUTS.get(type)
  return layout !== undefined && endOfFields(layout, bytes, start, end) === end
}
