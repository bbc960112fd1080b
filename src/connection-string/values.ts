/** Reads the text of each field of a connection: checked, and turned into its type. */

import { isIP } from 'node:net'
import { nearest } from '../base/nearest.ts'
import { Password } from '../base/password.ts'
import { type Origin, refusal } from '../base/refusal.ts'
import type { ConnectionFields } from './fields.ts'
import { hasPlaceholder, isPlaceholder } from './placeholder.ts'

const MAX_PORT = 65_535

/** NUL, and halves of a surrogate pair: PostgreSQL's protocol and UTF-8 cannot carry them. */
export const UNSENDABLE = /[\0\p{Surrogate}]/u

/** libpq's words, weakest first. @see https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSLMODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

/** How many characters longer than the known word a misspelling may be. */
const TYPO_LENGTH = 3

/**
 * A word with its nearest known one, when it is a misspelling of that. Anything else is only measured: text in the
 * wrong place may be a password.
 */
export function describeWord(word: string, known: readonly string[]): string {
  const candidate = nearest(word, known)
  const isTypo =
    /^[a-z][a-z_-]*$/i.test(word) &&
    word.length <= candidate.length + TYPO_LENGTH &&
    word.slice(0, 2).toLowerCase() === candidate.slice(0, 2)
  return isTypo ? `"${word}"; did you mean "${candidate}"?` : `an unknown word of ${word.length} characters`
}

/** A TCP port. */
function parsePort(text: string | number, origin: Origin): number {
  const digits = String(text).trim()
  const port = /^\d+$/.test(digits) ? Number(digits) : Number.NaN
  if (port >= 1 && port <= MAX_PORT) return port
  const found = isPlaceholder(digits)
    ? 'still a placeholder'
    : /^-?\d{1,6}$/.test(digits)
      ? digits
      : `no number (${digits.length} characters)`
  throw refusal(
    origin,
    `port is ${found}`,
    `Set a whole number from 1 to ${MAX_PORT}; CockroachDB Cloud listens on 26257.`,
  )
}

function parseText(name: string, text: string, origin: Origin): string {
  if (UNSENDABLE.test(text)) {
    throw refusal(
      origin,
      `${name} has a character that no server takes (NUL or half a surrogate pair)`,
      `Write ${name} again.`,
    )
  }
  if (isPlaceholder(text)) {
    throw refusal(origin, `${name} is still a placeholder`, `Put the real ${name} in its place.`)
  }
  return text
}

function parseHost(text: string, origin: Origin): string {
  const host = text.trim().replace(/^\[(.*)\]$/, '$1')
  const bad = (message: string, hint: string) => refusal(origin, message, hint)
  const copy =
    'Copy the host name from the console: <name>-<tenant id>.<3 characters>.<cloud>-<region>.cockroachlabs.cloud.'
  if (hasPlaceholder(host)) throw bad('host still has a placeholder', copy)
  if (UNSENDABLE.test(host)) throw bad('host has a character that no name has', copy)
  if (host.startsWith('/')) return host
  if (host.includes(',')) throw bad('several hosts are named', 'Name one host; CockroachDB Cloud balances behind it.')
  if (host.includes('://'))
    throw bad('host is a URL', 'Leave the host name alone in this place, or store the URL as a whole.')
  if (isIP(host) !== 0) return host
  if (!/^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/i.test(host)) {
    throw bad(`host is no host name, IP address or socket directory (${host.length} characters)`, copy)
  }
  return host
}

function parseDbname(text: string, origin: Origin): string {
  if (!/^(?:jdbc:)?[a-z]+(?:\+\w+)?:\/\/./i.test(text)) return parseText('dbname', text, origin)
  throw refusal(origin, 'dbname is a URL', 'Leave the database name alone in this place, or store the URL as a whole.')
}

function parsePassword(text: string, origin: Origin): Password {
  if (/^CCDB1_\w+$/.test(text)) {
    throw refusal(
      origin,
      'the password is an API key of CockroachDB Cloud',
      'An API key opens the Cloud API, not the database; create a SQL user and use its password.',
    )
  }
  return new Password(parseText('password', text, origin))
}

function parseSslmode(text: string, origin: Origin): string {
  const mode = text.trim().toLowerCase()
  if (mode === 'no-verify') {
    throw refusal(
      origin,
      'sslmode=no-verify would accept any server',
      'Use sslmode=verify-full; the layer brings the certificate.',
    )
  }
  if (SSLMODES.some((known) => known === mode)) return mode
  throw refusal(
    origin,
    `sslmode is ${describeWord(text, SSLMODES)}`,
    `Use sslmode=verify-full (libpq knows ${SSLMODES.join(', ')}).`,
  )
}

function parseConnectTimeout(text: string, origin: Origin): number {
  if (/^\d{1,6}$/.test(text.trim())) return Number(text)
  throw refusal(
    origin,
    `connect_timeout is no whole number (${text.length} characters)`,
    'Give it in seconds, without a unit.',
  )
}

/** How to read each field, whichever form it came in. */
export const FIELD_READERS: Readonly<
  Record<keyof ConnectionFields, (text: string, origin: Origin) => ConnectionFields>
> = {
  host: (text, origin) => ({ host: parseHost(text, origin) }),
  port: (text, origin) => ({ port: parsePort(text, origin) }),
  dbname: (text, origin) => ({ dbname: parseDbname(text, origin) }),
  user: (text, origin) => ({ user: parseText('user', text, origin) }),
  password: (text, origin) => ({ password: parsePassword(text, origin) }),
  sslmode: (text, origin) => ({ sslmode: parseSslmode(text, origin) }),
  sslrootcert: (text, origin) => ({ sslrootcert: parseText('sslrootcert', text, origin) }),
  options: (text, origin) => ({ options: parseText('options', text, origin) }),
  application_name: (text, origin) => ({ application_name: parseText('application_name', text, origin) }),
  connect_timeout: (text, origin) => ({ connect_timeout: parseConnectTimeout(text, origin) }),
  cluster: (text, origin) => ({ cluster: parseText('cluster', text.trim(), origin) }),
}
