/** Parameters of a URL that set what holds for the session: other clients send them, so this package does too. */
import { innerOrigin, isName, type Origin, refusal, shownName, valueRefusal } from '../base/refusal.ts'
import type { Entry } from './entries.ts'
import { readText } from './values.ts'

/** Names of other clients: JDBC's `currentSchema` and `readOnly`, Prisma's `schema`. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['currentschema', 'search_path'],
  ['schema', 'search_path'],
  ['readonly', 'default_transaction_read_only'],
])

/** Names that only a setting of the session has, beside those that begin with `default_transaction_`. */
const SPECIFIC: readonly string[] = [
  'search_path',
  'currentschema',
  'statement_timeout',
  'lock_timeout',
  'transaction_timeout',
  'idle_session_timeout',
  'idle_in_transaction_session_timeout',
]

const OTHERS: readonly string[] = [
  'schema',
  'readonly',
  'role',
  'timezone',
  'datestyle',
  'intervalstyle',
  'bytea_output',
  'extra_float_digits',
]

/** Without case, as far as ASCII goes: a few other letters become ASCII's in lower case. */
function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name.toLowerCase()) && /^\w+$/.test(name)
}

/** True for a name that only a setting of the session has. */
export function isSpecificSetting(name: string): boolean {
  if (isOneOf(SPECIFIC, name)) return true
  return name.toLowerCase().startsWith('default_transaction_') && /^default_transaction_\w+$/i.test(name)
}

/** True for a parameter of a URL that is sent to the server. A name with a dot is an application's own, for policies of row-level security. */
export function isServerSetting(name: string): boolean {
  if (isSpecificSetting(name) || isOneOf(OTHERS, name)) return true
  return name.includes('.') && /^[a-z_]\w*\.\w+$/i.test(name)
}

/** @throws ConnectionError for a value that servers read differently. */
function readSetting(parameter: string, text: string, origin: Origin): { name: string; value: string } {
  const value = readText(text, origin)
  // CockroachDB decodes `options` again as a query, and accepts a backslash only before a blank.
  if (/[+%\\]/.test(value)) {
    throw valueRefusal(
      origin,
      `has a +, % or \\, which servers read differently in options (${value.length} characters)`,
      'Set it with SET, or with ALTER ROLE … SET.',
    )
  }
  const key = parameter.toLowerCase()
  // Prisma's is one schema, JDBC's a list of them.
  const isQuoted = key === 'schema' && !/^[a-z_][a-z\d_]*$/.test(value)
  return { name: ALIASES.get(key) ?? key, value: isQuoted ? `"${value.replaceAll('"', '""')}"` : value }
}

/** The names that `options` sets, as `-c name=`, `-cname=` or `--name=`, with `-` for `_` as PostgreSQL reads them. */
function namesIn(options = ''): Set<string> {
  if (options === '') return new Set()
  const flags = options.matchAll(/(?:^|\s)(?:-c\s*|--)([\w.-]+)=/g)
  return new Set(Array.from(flags, ([, name = '']) => name.toLowerCase().replaceAll('-', '_')))
}

/**
 * `options` followed by the settings among these parameters, `-c search_path=billing`.
 *
 * @throws ConnectionError with the origin's code for a setting that is given twice, or has an unusable value.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 */
export function addServerSettings(
  options: string | undefined,
  entries: readonly Entry[],
  origin: Origin,
): string | undefined {
  const given = namesIn(options)
  const added = entries.flatMap((entry) => {
    if (entry.value === '' || !isServerSetting(entry.name)) return []
    const label = isName(entry.name) ? entry.name : shownName(entry.name)
    const { name, value } = readSetting(entry.name, entry.value, innerOrigin(label, origin))
    if (given.has(name)) throw refusal(origin, `${isName(name) ? name : label} is given twice`, 'Give it once.')
    given.add(name)
    return [`-c ${name}=${value.replace(/\s/g, '\\$&')}`]
  })
  return added.length === 0 ? options : [...(options === undefined ? [] : [options]), ...added].join(' ')
}
