/** Reads the fields of a JSON secret; a password is read unchanged, never decoded. */

import { nearest } from '../../base/nearest.ts'
import { type Origin, refusal, shownName } from '../../base/refusal.ts'
import { type Entry, mergeEntries, splitHost } from '../../connection-string/entries.ts'
import { CONNECTION_FIELDS, type ConnectionFields, type FieldName } from '../../connection-string/fields.ts'
import { findParameter, readEntries } from '../../connection-string/parameters.ts'
import { isSpecificSetting } from '../../connection-string/server-settings.ts'
import { ESSENTIAL_FIELDS, FIELD_KEYS, fieldOfKey, plainKey } from './keys.ts'
import { emptyHint, type Json, type JsonObject } from './text.ts'

/** In a connection string `service` names another file of settings; in a secret it names the secret's owner. */
const METADATA: readonly string[] = ['service']

/** True for a key that sets something of the connection, but is not a field. */
function isSetting(key: string): boolean {
  if (isSpecificSetting(key)) return true
  const parameter = findParameter(key)
  return parameter !== undefined && parameter.use !== 'ignored' && !METADATA.includes(plainKey(key))
}

/** What RDS writes into `engine` for a server that speaks PostgreSQL's protocol. */
const ENGINES = /^(?:aurora-)?postgres(?:ql)?$|^cockroach(?:db)?$/i

function textOf(key: string, field: FieldName, value: Json, origin: Origin): string {
  if (typeof value === 'string') {
    if (value.trim() === '' && ESSENTIAL_FIELDS.includes(field)) {
      throw refusal(origin, `key ${shownName(key)} is empty`, emptyHint(origin))
    }
    // Only a password may begin or end with a blank.
    return field === 'password' ? value : value.trim()
  }
  if (typeof value === 'number' && CONNECTION_FIELDS[field].isNumber) return String(value)
  if (value === null && !ESSENTIAL_FIELDS.includes(field)) return ''
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a JSON ${typeof value}`
  throw refusal(origin, `key ${shownName(key)} is ${kind}; expected text`, 'Put the value in double quotes.')
}

function misspeltKeys(object: JsonObject, present: ReadonlySet<string>): string[] {
  const unknown = Object.keys(object).filter((key) => fieldOfKey(key) === undefined && findParameter(key) === undefined)
  return unknown.flatMap((key) => {
    const plain = plainKey(key)
    // The first letter is rarely wrong, and comparing more words costs time in every cold start.
    const near = FIELD_KEYS.filter((word) => word[0] === plain[0] && Math.abs(word.length - plain.length) <= 1)
    const meant = near.length === 0 || plain.length < 4 ? undefined : nearest(plain, near)
    const isMissing = meant !== undefined && !present.has(fieldOfKey(meant) ?? '')
    return isMissing && shareLetters(plain, meant) ? [`ignored key ${shownName(key)}; did you mean "${meant}"?`] : []
  })
}

/** True when all but one letter of the shorter word are in the other: near enough for "did you mean". */
function shareLetters(a: string, b: string): boolean {
  const rest = [...b]
  const missing = [...a].filter((letter) => {
    const at = rest.indexOf(letter)
    if (at !== -1) rest.splice(at, 1)
    return at === -1
  })
  return missing.length <= 1 && rest.length <= 1
}

/**
 * The fields that a JSON object names under usual keys. Other keys are ignored; a setting that would
 * weaken TLS or name another server is refused, as in a connection string.
 *
 * @throws ConnectionError with the origin's code, naming the key.
 */
export function readFields(object: JsonObject, origin: Origin): { fields: ConnectionFields; warnings: string[] } {
  const found: (Entry & { key: string })[] = []
  const settings: Entry[] = []
  for (const [key, value] of Object.entries(object)) {
    const field = fieldOfKey(key)
    if (field !== undefined) {
      found.push(...splitHost({ name: field, value: textOf(key, field, value, origin), key }))
    } else if (isSetting(key)) {
      if (typeof value === 'object' && isSpecificSetting(key)) {
        throw refusal(origin, `key ${shownName(key)} is not text`, 'Put the value in double quotes.')
      }
      settings.push({ name: key, value: typeof value === 'object' ? 'no text' : String(value) })
    } else if (plainKey(key) === 'engine' && typeof value === 'string' && !ENGINES.test(value)) {
      throw refusal(
        origin,
        'key "engine" names another database',
        'Use the secret of a PostgreSQL or CockroachDB server.',
      )
    }
  }
  const merged = mergeEntries(found, (before, { key, name }) =>
    refusal(
      origin,
      `keys ${shownName(before.key)} and ${shownName(key)} give ${name} different values`,
      'Keep one of them.',
    ),
  )
  const { fields, warnings } = readEntries([...merged, ...settings], origin)
  const password = fields.password?.reveal() ?? ''
  const notes = misspeltKeys(object, new Set(Object.keys(fields)))
  if (Object.hasOwn(object, 'schema')) notes.push('ignored key "schema"; did you mean "search_path"?')
  if (password !== password.trim()) notes.push('the password begins or ends with a blank, and is used like that')
  return { fields, warnings: [...warnings, ...notes.map((note) => `${origin.name}: ${note}`)] }
}
