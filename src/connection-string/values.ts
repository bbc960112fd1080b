/** The readers of the fields of a connection: each checks a text and returns the value. */
import { isIP } from 'node:net'
import { Password } from '../base/password.ts'
import { oneOf, type Reader, wholeNumber } from '../base/readers.ts'
import { type Origin, valueRefusal } from '../base/refusal.ts'
import { restorePem } from './pem.ts'
import { hasPlaceholder, isPlaceholder } from './placeholder.ts'

/** False for NUL, which PostgreSQL's protocol cannot have, and for halves of a surrogate pair, which UTF-8 cannot. */
export function isSendable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}

/** libpq's words, weakest first. @see https://www.postgresql.org/docs/current/libpq-ssl.html */
const SSLMODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof SSLMODES)[number]

/** What people store instead of one value, although it holds several, the password too. */
interface Whole {
  /** Texts of which it has one. A value rarely has, and V8 need not compile the expression in a cold start. */
  readonly has: readonly string[]
  readonly looksLike: RegExp
  readonly found: string
}

const WHOLES: readonly Whole[] = [
  {
    has: [':', '%'],
    looksLike: /(?:postgres(?:ql)?|cockroachdb)(?:\+\w+)?(?::|%3a)(?:\/|%2f){2}/i,
    found: 'is a URL',
  },
  { has: ['{'], looksLike: /^[\s"'[]*\{\s*\\?(["']?)\w+\\?\1\s*:/, found: 'is JSON' },
  { has: ['='], looksLike: /(?:^|[\s;&?])(?:PG)?(?:password|pwd)\s*=/i, found: 'is a connection string' },
  { has: ['-----BEGIN '], looksLike: /-----BEGIN /, found: 'is a certificate or a key' },
  { has: ['CCDB1_', 'AKIA', 'ASIA'], looksLike: /^(?:CCDB1_\w+|A[KS]IA[A-Z\d]{16})$/, found: 'is an API key' },
]

/** The text behind base64; empty for any other. Names of hosts have a dot. */
function decoded(text: string): string {
  const isBase64 = text.length >= 16 && !text.includes('.') && /^[\w+/-]{16,}={0,2}$/.test(text)
  return isBase64 ? Buffer.from(text, 'base64').toString() : ''
}

/** Refuses a whole connection string or secret instead of one value, in base64 too. */
export function refuseWhole(text: string, origin: Origin): void {
  const texts = [text, decoded(text)]
  const whole = WHOLES.find(({ has, looksLike }) =>
    texts.some((each) => has.some((part) => each.includes(part)) && looksLike.test(each)),
  )
  if (whole === undefined) return
  throw valueRefusal(origin, whole.found, 'Write only the one value here, or store the whole string.')
}

function refusePlaceholder(text: string, origin: Origin): void {
  if (isPlaceholder(text)) throw valueRefusal(origin, 'is still a placeholder', 'Replace it with the real value.')
}

function sendable(text: string, origin: Origin): string {
  if (!isSendable(text)) {
    throw valueRefusal(
      origin,
      'has a character that no server accepts (NUL or half a surrogate pair)',
      'Write the value again.',
    )
  }
  refusePlaceholder(text, origin)
  return text
}

/** Text of no particular shape: `options`, `application_name`. */
export function readText(text: string, origin: Origin): string {
  refuseWhole(text, origin)
  return sendable(text, origin)
}

/** The name of a user or a database: never an address. */
export function readName(text: string, origin: Origin): string {
  if (text.includes('://') && /[a-z]:\/\/./i.test(text)) {
    throw valueRefusal(origin, 'is a URL', 'Write only the name here, or store the whole URL.')
  }
  return readText(text, origin)
}

export const MAX_PORT = 65_535

const readPortNumber = wholeNumber(
  1,
  MAX_PORT,
  'CockroachDB Cloud listens on 26257, PostgreSQL on 5432; leave the port out to use that.',
)

export function readPort(text: string, origin: Origin): number {
  refusePlaceholder(text, origin)
  return readPortNumber(text, origin)
}

export function readHost(text: string, origin: Origin): string {
  const trimmed = text.trim()
  const host = trimmed.startsWith('[') ? trimmed.replace(/^\[(.*)\]$/, '$1') : trimmed
  const bad = (found: string, hint: string) => valueRefusal(origin, found, hint)
  const copy =
    'Copy the host name from the console: <name>-<tenant id>.<3 characters>.<cloud>-<region>.cockroachlabs.cloud.'
  if (hasPlaceholder(host)) throw bad('still has a placeholder', copy)
  if (!isSendable(host)) throw bad('has a character that no host name has', copy)
  if (host.startsWith('/')) return host
  if (host.includes(',')) throw bad('names several hosts', 'Name one host; CockroachDB Cloud balances behind it.')
  if (host.includes('://')) {
    throw bad('is a URL', 'Write only the host name here, or store the whole URL.')
  }
  if (isIP(host) !== 0) return host
  refuseWhole(host, origin)
  if (!/^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_.])?$/i.test(host)) {
    throw bad(`is not a host name, IP address or socket directory (${host.length} characters)`, copy)
  }
  return host
}

/** Read unchanged, with its blanks: a password may be any text. */
export function readPassword(text: string, origin: Origin): Password {
  if (text.startsWith('CCDB1_') && /^CCDB1_\w+$/.test(text)) {
    throw valueRefusal(
      origin,
      'is an API key of CockroachDB Cloud',
      'An API key is for the Cloud API, not the database; create a SQL user and use its password.',
    )
  }
  return new Password(sendable(text, origin))
}

const readSslmodeWord = oneOf(SSLMODES, 'Use sslmode=verify-full.')

export function readSslmode(text: string, origin: Origin): SslMode {
  const mode = text.trim().toLowerCase()
  if (mode === 'no-verify') {
    throw valueRefusal(
      origin,
      'is no-verify, which would accept any server',
      'Use sslmode=verify-full; the layer has the certificate.',
    )
  }
  return readSslmodeWord(mode, origin)
}

const AS_LIBPQ = 'Write it as libpq does, or leave it out.'

export const readChannelBinding = oneOf(['disable', 'prefer', 'require'], AS_LIBPQ)

const readLoginMethod = oneOf(['none', 'password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth'], AS_LIBPQ)

/** A list of the ways to log in that may be used, or, each behind a `!`, of those that may not. */
export function readRequireAuth(text: string, origin: Origin): string {
  const methods = text.replaceAll(' ', '')
  const words = methods.startsWith('!') ? methods.slice(1).split(',!') : methods.split(',')
  for (const word of words) readLoginMethod(word, origin)
  return methods
}

/** Reads the path of a file with PEM in it, or the PEM text itself. */
function pathOrPem(expected: string): Reader<string> {
  return (text, origin) => {
    const pem = restorePem(text)
    if (pem !== undefined) return sendable(pem, origin)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    if (/[\u0001-\u001f\u007f]/.test(text) || text.length > 4096) {
      throw valueRefusal(
        origin,
        `is neither ${expected} (${text.length} characters)`,
        'Name the file, or give its whole text, from -----BEGIN on.',
      )
    }
    return readName(text, origin)
  }
}

/** A path, PEM text, or `system`. */
export const readSslrootcert = pathOrPem('a path, PEM text nor system')

export const readSslcert = pathOrPem('a path nor PEM text')

/** Held like a password, for text of this kind is one. */
export function readSslkey(text: string, origin: Origin): Password {
  return new Password(readSslcert(text, origin))
}

export const readConnectTimeout = wholeNumber(0, 3600, 'Give it in seconds, without a unit.')

export function readCluster(text: string, origin: Origin): string {
  return readName(text.trim(), origin)
}
