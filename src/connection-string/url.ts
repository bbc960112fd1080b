/** Reads connection strings that are URLs: libpq's, SQLAlchemy's and JDBC's. */

import { type Origin, refusal } from '../base/refusal.ts'
import { splitAuthority } from './authority.ts'
import type { Entry } from './entries.ts'
import { CONNECTION_FIELDS, type ParsedFields } from './fields.ts'
import { findParameter, readEntries } from './parameters.ts'
import { isServerSetting } from './server-settings.ts'
import { CONNECTION_STRING_FORM } from './writer.ts'

const SCHEMES = ['postgresql', 'postgres', 'cockroachdb']
const SCHEME = /^(jdbc:)?([a-z][a-z0-9.-]*)(?:\+[a-z0-9_]+)?:\/\//i

/** Characters that no URL has raw: line breaks and other controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/

/** Characters that make clients disagree where user and password end. */
const RAW = /[@/?# ]/

/** A percent-encoded byte, and a `%` that does not begin one. */
const ENCODED = /%[0-9a-f]{2}/i
const RAW_PERCENT = /%(?![0-9a-f]{2})/i

/** True for every text that begins as a URL does, ours or not. */
export function isUrl(text: string): boolean {
  return SCHEME.test(text)
}

/** True for a URL that names a PostgreSQL server. */
export function isPostgresqlUrl(text: string): boolean {
  return SCHEMES.includes(SCHEME.exec(text)?.[2]?.toLowerCase() ?? '')
}

/**
 * The text that a part of a URL stands for, decoded exactly once, by libpq's rules: a plus is a plus. A part in which
 * no `%` begins an encoding was never encoded, and is used unchanged; `encoded` is false then.
 *
 * @throws ConnectionError when some `%` are encodings and others are not, or when the bytes are not UTF-8.
 */
function decodePart(name: string, text: string, origin: Origin): { value: string; encoded: boolean } {
  if (!text.includes('%')) return { value: text, encoded: true }
  if (RAW_PERCENT.test(text)) {
    if (!ENCODED.test(text)) return { value: text, encoded: false }
    throw refusal(
      origin,
      `${name} mixes percent-encoding with a bare %, and can be read in two ways`,
      'Write a % that stands for itself as %25.',
    )
  }
  try {
    return { value: decodeURIComponent(text), encoded: true }
  } catch {
    // The URIError is left out on purpose: it adds nothing.
    throw refusal(
      origin,
      `${name} has percent-encoded bytes that are not UTF-8`,
      'Encode it as UTF-8, and a % that stands for itself as %25.',
    )
  }
}

/** True for a parameter that names the server, which belongs in front of the query. */
function namesTarget(name: string): boolean {
  const parameter = findParameter(name)
  return parameter?.use === 'field' && CONNECTION_FIELDS[parameter.field].inUrl === 'target'
}

function splitTail(tail: string, origin: Origin): { path: string; query: string } {
  if (tail.includes('#')) {
    throw refusal(
      origin,
      'the URL has a raw # behind the host',
      'Write it as %23 if it belongs to a value; leave it out otherwise.',
    )
  }
  const mark = tail.indexOf('?')
  const path = mark === -1 ? tail : tail.slice(0, mark)
  return { path: path.startsWith('/') ? path.slice(1) : path, query: mark === -1 ? '' : tail.slice(mark + 1) }
}

/** Restores each `&` that HTML or JSON escaped. */
function repairSeparators(query: string, warn: (message: string) => void): string {
  if (!query.includes(';') && !query.includes('\\')) return query
  const repaired = query.replace(/&amp;|\\u0026/gi, '&')
  if (repaired !== query) warn('an escaped & between the parameters was read as &')
  return repaired
}

function splitQuery(query: string, origin: Origin): { name: string; value: string }[] {
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [, name, value = ''] = /^([a-z][\w.-]*)=(.*)$/is.exec(pair) ?? []
      if (name === undefined) {
        throw refusal(
          origin,
          'a parameter behind the ? is not name=value',
          'Write parameters as name=value, with & between them; a ? in user or password is %3F.',
        )
      }
      return { name, value }
    })
}

/**
 * Reads a URL.
 *
 * @throws ConnectionError with the origin's code.
 */
export function parseUrl(text: string, origin: Origin): ParsedFields {
  const [prefix = '', jdbc] = SCHEME.exec(text) ?? []
  if (!isPostgresqlUrl(text)) {
    throw refusal(origin, 'the URL is not a PostgreSQL URL', `Expected: ${CONNECTION_STRING_FORM}`)
  }
  if (CONTROL.test(text)) {
    throw refusal(
      origin,
      'the URL has a line break or another control character',
      'Write it in one line, and such a character percent-encoded.',
    )
  }
  const warnings: string[] = []
  const warn = (message: string) => warnings.push(`${origin.name}: ${message}`)
  const decode = (name: string, part: string): Entry => {
    const { value, encoded } = decodePart(name, part, origin)
    if (!encoded) warn(`${name} has a bare % and was used as it is; write it as %25`)
    return { name, value }
  }

  const { user, password, host, port, tail } = splitAuthority(text.slice(prefix.length), origin)
  const { path, query } = splitTail(tail, origin)
  for (const [name, part] of Object.entries({ user, password })) {
    if (!RAW.test(part)) continue
    warn(`${name} has special characters that other clients read differently; percent-encode them`)
  }
  const entries = [
    decode('host', host),
    { name: 'port', value: port },
    decode('user', user),
    decode('password', password),
    decode('dbname', path),
  ].filter(({ value }) => value !== '')
  for (const { name, value } of splitQuery(repairSeparators(query, warn), origin)) {
    if (namesTarget(name) && value !== '') {
      throw refusal(
        origin,
        `${name.toLowerCase()} is among the parameters`,
        `Name host, port and database in front of the ?: ${CONNECTION_STRING_FORM}`,
      )
    }
    if (jdbc !== undefined && findParameter(name)?.use === 'field' && value.includes('+')) {
      throw refusal(
        origin,
        `${name} has a + that JDBC reads as a blank and libpq as a plus`,
        'Write %2B for a plus and %20 for a blank.',
      )
    }
    const isKnown = findParameter(name) !== undefined || isServerSetting(name)
    entries.push(isKnown ? decode(name, value) : { name, value })
  }
  const read = readEntries(entries, origin)
  return { fields: read.fields, warnings: [...warnings, ...read.warnings] }
}
