/** Reads a SecretString in any shape that people store: a connection string, JSON that holds one, JSON with fields. */

import { nearest } from '../../base/nearest.ts'
import { type Origin, refusal, refuseTooLong, shownName } from '../../base/refusal.ts'
import { CONNECTION_FIELDS, type ParsedFields } from '../../connection-string/fields.ts'
import { parseConnectionString } from '../../connection-string/parse.ts'
import { isPostgresqlUrl } from '../../connection-string/url.ts'
import { unwrap } from '../../connection-string/wrapping.ts'
import { mergeAgreeing } from './agreement.ts'
import { readFields } from './fields.ts'
import { ESSENTIAL_FIELDS, fieldOfKey, isConnectionStringKey, isSpecificKey } from './keys.ts'
import {
  emptyHint,
  isJsonObject,
  type Json,
  type JsonObject,
  malformedJson,
  refuseBase64,
  SECRET_FORM,
  tryJson,
} from './text.ts'

export interface SecretOptions {
  /** The key that holds the connection string or the fields (COCKROACH_SECRET_KEY). */
  readonly key?: string | undefined
  readonly origin: Origin
}

/** Tools put JSON into JSON up to three times; deeper nesting is refused. */
const MAX_DEPTH = 4

const MOST_KEYS_SHOWN = 20

function listed(keys: readonly string[]): string {
  const more = keys.length > MOST_KEYS_SHOWN ? [`and ${keys.length - MOST_KEYS_SHOWN} more`] : []
  return [...keys.slice(0, MOST_KEYS_SHOWN).map(shownName), ...more].join(', ')
}

function withWarning({ fields, warnings }: ParsedFields, origin: Origin, warning: string): ParsedFields {
  return { fields, warnings: [`${origin.name}: ${warning}`, ...warnings] }
}

/** Applications use `url`, `uri` and `dsn` for web addresses too. */
function isWebAddress(value: Json | undefined): boolean {
  return typeof value === 'string' && /^\s*https?:/i.test(value)
}

/** The key of the connection string: the one asked for, the only usual one, or the only one that holds one. */
function connectionStringKey(object: JsonObject, origin: Origin): string | undefined {
  const usual = Object.keys(object).filter((key) => isConnectionStringKey(key) && !isWebAddress(object[key]))
  const holding = Object.keys(object).filter((key) => {
    const value = object[key]
    return fieldOfKey(key) === undefined && typeof value === 'string' && isPostgresqlUrl(unwrap(value).text)
  })
  const candidates = usual.length > 0 ? usual : holding
  if (new Set(candidates.map((key) => object[key])).size > 1) {
    throw refusal(
      origin,
      `holds ${candidates.length} connection strings, under ${listed(candidates)}`,
      'Name the key in COCKROACH_SECRET_KEY (option secretKey).',
    )
  }
  return candidates[0]
}

/** The value of one key, without the fields beside it. */
function parseUnder(object: JsonObject, key: string, origin: Origin, depth: number): ParsedFields {
  const value = object[key]
  const inner: Origin = { code: origin.code, name: `${origin.name}, key ${shownName(key)}` }
  if (value === undefined || value === null || value === '') {
    throw refusal(inner, 'is empty', emptyHint(origin))
  }
  if (typeof value !== 'string' && !isJsonObject(value)) {
    throw refusal(inner, 'is neither text nor an object', SECRET_FORM)
  }
  return parseValue(value, inner, depth)
}

/** The value of a key, with the fields beside it; those with generic keys are the application's, unless RDS wrote them. */
function parseWithBeside(object: JsonObject, key: string, origin: Origin, depth: number): ParsedFields {
  const parsed = parseUnder(object, key, origin, depth)
  const isRecord = object.engine !== undefined
  const others = Object.keys(object).filter((other) => other !== key && !isConnectionStringKey(other))
  const isRead = (other: string) => isRecord || isSpecificKey(other)
  const beside = readFields(
    Object.fromEntries(others.filter(isRead).map((other) => [other, object[other] ?? null])),
    origin,
  )
  const fields = mergeAgreeing(parsed.fields, beside.fields, shownName(key), origin)
  const notes = others.flatMap((other) => {
    const field = fieldOfKey(other)
    const isMissed =
      !isRead(other) && field !== undefined && ESSENTIAL_FIELDS.includes(field) && fields[field] === undefined
    return isMissed
      ? [
          `${origin.name}: key ${shownName(other)} is not read beside a connection string; complete the string, or rename the key ${CONNECTION_FIELDS[field].variable}`,
        ]
      : []
  })
  return { fields, warnings: [...parsed.warnings, ...beside.warnings, ...notes] }
}

/** A single value that is an object, or JSON text of one: some tools wrap the secret again. */
function nestedKey(object: JsonObject): string | undefined {
  const keys = Object.keys(object).filter((key) => {
    const value = object[key]
    if (value === undefined) return false
    if (typeof value !== 'string') return isJsonObject(value)
    // Every failed JSON.parse makes an error with its stack, which costs time in a cold start.
    return value.trimStart().startsWith('{') && isJsonObject(tryJson(value)?.value ?? null)
  })
  return keys.length === 1 ? keys[0] : undefined
}

function parseObject(object: JsonObject, origin: Origin, depth: number): ParsedFields {
  if (Object.keys(object).length === 0) throw refusal(origin, 'is empty', emptyHint(origin))
  const key = connectionStringKey(object, origin)
  if (key !== undefined) {
    const parsed = parseWithBeside(object, key, origin, depth)
    return isConnectionStringKey(key)
      ? parsed
      : withWarning(parsed, origin, `the connection string was found under ${shownName(key)}`)
  }
  const nested = nestedKey(object)
  if (
    nested !== undefined &&
    !Object.keys(object).some((other) => other !== nested && fieldOfKey(other) !== undefined)
  ) {
    return withWarning(
      parseWithBeside(object, nested, origin, depth),
      origin,
      `the fields were found inside ${shownName(nested)}`,
    )
  }
  const { fields, warnings } = readFields(object, origin)
  if (Object.keys(fields).length === 0) {
    const web = Object.keys(object).find(isConnectionStringKey)
    if (web !== undefined) return parseUnder(object, web, origin, depth)
    throw refusal(
      origin,
      `has no usual key; found ${listed(Object.keys(object))}`,
      `${SECRET_FORM} Or name the key in COCKROACH_SECRET_KEY.`,
    )
  }
  return { fields, warnings }
}

function parseText(secretString: string, origin: Origin, depth: number): ParsedFields {
  const trimmed = secretString.trim()
  if (trimmed === '') throw refusal(origin, 'is empty', emptyHint(origin))
  const direct = tryJson(trimmed)
  if (direct !== undefined) {
    if (typeof direct.value !== 'string') return parseValue(direct.value, origin, depth)
    return withWarning(parseValue(direct.value, origin, depth), origin, 'the value was text in JSON quotes')
  }
  const { text, removed } = unwrap(trimmed)
  if (!text.startsWith('{') || isPlaceholderBrace(text)) {
    refuseBase64(text, origin)
    return parseConnectionString(secretString, origin)
  }
  const json = tryJson(text) ?? tryJson(unescaped(text))
  if (json === undefined) throw malformedJson(text, origin)
  const parsed = parseValue(json.value, origin, depth)
  const note = removed.length > 0 ? `removed around the JSON: ${removed.join(', ')}` : 'the JSON was escaped once more'
  return withWarning(parsed, origin, note)
}

/** JSON that was escaped again: `{\"host\":…}`. */
function unescaped(text: string): string {
  const inner = tryJson(`"${text}"`)?.value
  return typeof inner === 'string' ? inner : text
}

/** `{url}` is a placeholder, not the beginning of JSON. */
function isPlaceholderBrace(text: string): boolean {
  return /^\{\{?[\w -]+\}?\}$/.test(text)
}

function parseValue(value: Json, origin: Origin, depth: number): ParsedFields {
  if (depth >= MAX_DEPTH) throw refusal(origin, `is nested ${MAX_DEPTH} times`, SECRET_FORM)
  if (typeof value === 'string') return parseText(value, origin, depth + 1)
  if (isJsonObject(value)) return parseObject(value, origin, depth + 1)
  const kind = value === null ? 'null' : Array.isArray(value) ? `an array of ${value.length}` : `a ${typeof value}`
  throw refusal(origin, `is ${kind} in JSON`, SECRET_FORM)
}

function parseUnderKey(secretString: string, key: string, origin: Origin): ParsedFields {
  const { text } = unwrap(secretString)
  if (text === '') throw refusal(origin, 'is empty', emptyHint(origin))
  const outer = tryJson(text)?.value
  const json = typeof outer === 'string' ? tryJson(outer)?.value : outer
  if (json === undefined && text.startsWith('{')) throw malformedJson(text, origin)
  if (json === undefined || !isJsonObject(json)) {
    throw refusal(
      origin,
      `is not a JSON object, so it has no key ${shownName(key)}`,
      'Leave COCKROACH_SECRET_KEY unset, or store JSON.',
    )
  }
  if (Object.keys(json).length === 0) throw refusal(origin, 'is empty', emptyHint(origin))
  if (!Object.hasOwn(json, key)) {
    throw refusal(
      origin,
      `has no key ${shownName(key)}; found ${listed(Object.keys(json))}`,
      `Is COCKROACH_SECRET_KEY right? Did you mean ${shownName(nearest(key, Object.keys(json)))}?`,
    )
  }
  return parseUnder(json, key, origin, 0)
}

/**
 * The fields of a secret. They may be partial: the environment can name the server, and the secret the password only.
 *
 * @throws ConnectionError with the origin's code; it names keys and lengths, and contains no value.
 */
export function parseSecret(secretString: string, options: SecretOptions): ParsedFields {
  const { key, origin } = options
  refuseTooLong(secretString, origin)
  return key === undefined || key === '' ? parseText(secretString, origin, 0) : parseUnderKey(secretString, key, origin)
}
