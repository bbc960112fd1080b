/** Finds where the text of a secret has its user and its password, in every form that the library reads. */

import { splitAuthority } from '../../src/connection-string/authority.ts'
import { isKeywordValue, PAIR } from '../../src/connection-string/keyword-value.ts'
import { findParameter } from '../../src/connection-string/parameters.ts'
import { isPostgresqlUrl } from '../../src/connection-string/url.ts'
import { unwrap } from '../../src/connection-string/wrapping.ts'
import { fieldOfKey } from '../../src/secret/value/keys.ts'
import { tryJson } from '../../src/secret/value/text.ts'
import { escaped, isJsonText, type JsonText, type JsonValue, readJson } from './json-text.ts'

export interface Login {
  readonly user: string
  readonly password: string
}

/** A part of a text that is the user or the password. */
export interface Place {
  readonly field: keyof Login
  readonly start: number
  readonly end: number
  /** A value as it has to be written there. */
  write(value: string): string
}

/** A place, with the value that stands there. */
interface Part extends Place {
  readonly value: string
}

interface Found {
  readonly places: readonly Place[]
  /** Users beside which no password stands: they belong to the login if its password is found next to them. */
  readonly users: readonly Place[]
}

const NOTHING: Found = { places: [], users: [] }

/** Names the text in a refusal that is not shown: what is no connection string holds no login. */
const UNUSED = { code: 'ERR_SECRET_INVALID', name: 'the secret' } as const

function loginField(parameter: string): keyof Login | undefined {
  const found = findParameter(parameter)
  const field = found?.use === 'field' ? found.field : undefined
  return field === 'user' || field === 'password' ? field : undefined
}

/** By the rules of the library: a part in which a bare `%` stands was never encoded. */
function decoded(part: string): string {
  try {
    return /%(?![\da-f]{2})/i.test(part) ? part : decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Quotes as well, which may stand around the URL. */
function encode(value: string): string {
  return encodeURIComponent(value).replaceAll("'", '%27')
}

const QUERY_PARAMETER = /(?:\?|&(?:amp;)?|\\u0026)([a-z][\w.-]*)=((?:(?!\\u0026)[^&])*)/gi

function urlParts(url: string): readonly Part[] {
  const begin = url.indexOf('://') + 3
  const { user, password, tail } = splitAuthority(url.slice(begin), UNUSED)
  const passwordAt = begin + user.length + 1
  const found = [
    { field: 'user' as const, start: begin, text: user },
    { field: 'password' as const, start: passwordAt, text: password },
    ...[...tail.matchAll(QUERY_PARAMETER)].flatMap(({ 0: whole, 1: name = '', 2: text = '', index }) => {
      const field = loginField(name)
      const start = url.length - tail.length + index + whole.length - text.length
      return field === undefined ? [] : [{ field, start, text }]
    }),
  ]
  return found.map(({ field, start, text }) => ({
    ...{ field, start, end: start + text.length, value: decoded(text), write: encode },
  }))
}

function keywordParts(text: string): readonly Part[] {
  return [...text.matchAll(new RegExp(PAIR, 'suyg'))].flatMap(
    ({ 0: pair, 1: name = '', 2: quoted, 3: bare = '', index }) => {
      const field = loginField(name)
      if (field === undefined) return []
      const written = quoted ?? bare
      const end = index + pair.length - (quoted === undefined ? 0 : 1)
      const write = (value: string) => value.replace(/[\\'\s]/g, '\\$&')
      return [{ field, start: end - written.length, end, value: written.replace(/\\(.)/gsu, '$1'), write }]
    },
  )
}

/** The parts of one connection string, if they are of this login. */
function inConnectionString(parts: readonly Part[], login: Login): Found {
  const present = parts.filter(({ value }) => value !== '')
  if (present.some(({ field, value }) => value !== login[field])) return NOTHING
  const hasPassword = present.some(({ field }) => field === 'password')
  return hasPassword ? { places: present, users: [] } : { places: [], users: present }
}

/** What was found in a part of the text, as places of the whole. */
function moved({ places, users }: Found, position: (at: number) => number, write = (text: string) => text): Found {
  const move = (place: Place): Place => ({
    field: place.field,
    start: position(place.start),
    end: position(place.end),
    write: (value) => write(place.write(value)),
  })
  return { places: places.map(move), users: users.map(move) }
}

function inJsonText({ positions }: JsonText, found: Found): Found {
  return moved(found, (at) => positions[at] ?? 0, escaped)
}

/** The value of a usual key, if it is this login's. */
function underKey(field: keyof Login, text: string, login: Login): Found {
  // Only a password may begin or end with a blank.
  const value = field === 'password' ? text : text.trim()
  if (value !== login[field]) return NOTHING
  const start = text.indexOf(value)
  const place: Place = { field, start, end: start + value.length, write: (next) => next }
  return field === 'password' ? { places: [place], users: [] } : { places: [], users: [place] }
}

function inJson(value: JsonValue, login: Login): Found {
  if (isJsonText(value)) return inJsonText(value, inText(value.text, login))
  const found = value.map(({ key, value: member }) => {
    const field = key === undefined ? undefined : fieldOfKey(key)
    if (!isJsonText(member) || (field !== 'user' && field !== 'password')) return inJson(member, login)
    return inJsonText(member, underKey(field, member.text, login))
  })
  const places = found.flatMap((each) => each.places)
  const users = found.flatMap((each) => each.users)
  const hasPassword = places.some(({ field }) => field === 'password')
  return hasPassword ? { places: [...places, ...users], users: [] } : { places, users }
}

function inText(wrapped: string, login: Login): Found {
  const json = wrapped.trim()
  if (tryJson(json) !== undefined) return moved(inJson(readJson(json), login), (at) => at + wrapped.indexOf(json))
  const { text } = unwrap(wrapped)
  const begin = wrapped.lastIndexOf(text)
  const behind = (at: number): number => at + begin
  if (text.startsWith('{')) {
    if (tryJson(text) !== undefined) return moved(inJson(readJson(text), login), behind)
    // JSON that was escaped once more: a text of JSON without its quotes.
    const quoted = `"${text}"`
    return tryJson(quoted) === undefined ? NOTHING : moved(inJson(readJson(quoted), login), (at) => behind(at - 1))
  }
  if (isPostgresqlUrl(text)) return moved(inUrl(text, login), behind)
  return isKeywordValue(text) ? moved(inConnectionString(keywordParts(text), login), behind) : NOTHING
}

function inUrl(url: string, login: Login): Found {
  try {
    return inConnectionString(urlParts(url), login)
  } catch {
    // Beside the string that is read, an application may have others, which nobody can read.
    return NOTHING
  }
}

/** Everywhere that this password stands as one, and this user beside it; in a second copy of the connection string too. */
export function loginPlaces(secretString: string, login: Login): readonly Place[] {
  return inText(secretString, login).places
}
