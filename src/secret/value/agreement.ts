/** Merges a connection string and the fields beside it, if they agree. */

import { Password } from '../../base/password.ts'
import { type Origin, refusal } from '../../base/refusal.ts'
import type { ConnectionFields } from '../../connection-string/fields.ts'
import { isCloudHost } from '../../routing/host.ts'

/** One of two names of a database on CockroachDB Cloud may be without the cluster identifier in front. */
function isSameDatabase(a: string, b: string): boolean {
  return a === b || a.endsWith(`.${b}`) || b.endsWith(`.${a}`)
}

function agrees(name: string, a: unknown, b: unknown, isCloud: boolean): boolean {
  if (a instanceof Password) return b instanceof Password && a.equals(b)
  if (name === 'host') return String(a).toLowerCase() === String(b).toLowerCase()
  if (name === 'dbname' && isCloud) return isSameDatabase(String(a), String(b))
  return a === b
}

/** Of two names of a database, the one with the identifier. */
function fullerName(a: string, b: string): string {
  return a.length > b.length ? a : b
}

/**
 * The fields of the string, completed by those beside it.
 *
 * @param key of the string, for the message.
 * @throws ConnectionError with the origin's code, when a field has two values.
 */
export function mergeAgreeing(
  url: ConnectionFields,
  beside: ConnectionFields,
  key: string,
  origin: Origin,
): ConnectionFields {
  const isCloud = isCloudHost(url.host ?? beside.host ?? '')
  const own = new Map<string, unknown>(Object.entries(url))
  for (const [name, value] of Object.entries(beside)) {
    if (!own.has(name) || agrees(name, own.get(name), value, isCloud)) continue
    throw refusal(
      origin,
      `${name} contradicts the connection string under ${key}`,
      'Keep one of the two; a rotation must write both.',
    )
  }
  const merged = { ...beside, ...url }
  if (url.dbname === undefined || beside.dbname === undefined) return merged
  return { ...merged, dbname: fullerName(url.dbname, beside.dbname) }
}
