/** Names and values of one origin, before they are read as fields. */

/** One name with its value, decoded. */
export interface Entry {
  readonly name: string
  readonly value: string
}

/** A host of the form `name:port`, as in RDS's `endpoint`, becomes two entries. */
export function splitHost<Found extends Entry>(entry: Found): Found[] {
  const hasPort = entry.name === 'host' && entry.value.includes(':')
  const [, host, port] = (hasPort && /^([^\s:/@]+):(\d+)$/.exec(entry.value)) || []
  if (host === undefined || port === undefined) return [entry]
  return [
    { ...entry, value: host },
    { ...entry, name: 'port', value: port },
  ]
}

/** One entry for each name; `conflict` makes the error for a name with two values. */
export function mergeEntries<Found extends Entry>(
  entries: readonly Found[],
  conflict: (before: Found, entry: Found) => Error,
): Found[] {
  const merged = new Map<string, Found>()
  for (const entry of entries) {
    if (entry.value === '') continue
    const before = merged.get(entry.name)
    if (before !== undefined && before.value !== entry.value) throw conflict(before, entry)
    merged.set(entry.name, before ?? entry)
  }
  return [...merged.values()]
}
