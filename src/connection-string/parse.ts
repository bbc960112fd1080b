/** Reads a connection string in any form that people paste. */
import { type Origin, refusal, refuseTooLong } from '../base/refusal.ts'
import type { ParsedFields } from './fields.ts'
import { isKeywordValue, parseKeywordValue } from './keyword-value.ts'
import { isPlaceholder } from './placeholder.ts'
import { isUrl, parseUrl } from './url.ts'
import { unwrap } from './wrapping.ts'
import { CONNECTION_STRING_FORM } from './writer.ts'

export { buildConnectionString } from './writer.ts'

/** Texts that are not connection strings, by their shape; no message quotes them. */
const MISTAKES: readonly { looksLike: RegExp; message: string; hint: string }[] = [
  { looksLike: /^$/, message: 'is empty', hint: `Expected: ${CONNECTION_STRING_FORM}` },
  {
    looksLike: /^CCDB1_\w+$/,
    message: 'is an API key of CockroachDB Cloud',
    hint: `An API key is for the Cloud API, not the database. Expected: ${CONNECTION_STRING_FORM}`,
  },
  {
    looksLike: /^-----BEGIN /,
    message: 'is a certificate or key, not a connection string',
    hint: 'Put a root certificate into sslrootcert.',
  },
  {
    looksLike: /^(?:jdbc:)?(?:postgres|postgresql|cockroachdb)(?:\+\w+)?:/i,
    message: 'is a URL without "//" behind the scheme',
    hint: `Expected: ${CONNECTION_STRING_FORM}`,
  },
  {
    looksLike: /^(?:export\s+)?PG[A-Z]+\s*=/,
    message: 'is a list of environment variables',
    hint: `Store a connection string, or JSON with these names as keys. Expected: ${CONNECTION_STRING_FORM}`,
  },
  {
    looksLike: /^[a-z ]+=[^;\s']*;.*(?:user id|username|password|database)\s*=/i,
    message: 'is a connection string of ADO.NET',
    hint: `Expected: ${CONNECTION_STRING_FORM}`,
  },
]

function parseUnwrapped(text: string, origin: Origin): ParsedFields {
  if (isUrl(text)) return parseUrl(text, origin)
  if (isPlaceholder(text)) {
    throw refusal(
      origin,
      'is still a placeholder',
      `Replace it with the real value. Expected: ${CONNECTION_STRING_FORM}`,
    )
  }
  const mistake = MISTAKES.find(({ looksLike }) => looksLike.test(text))
  if (mistake !== undefined) throw refusal(origin, mistake.message, mistake.hint)
  if (isKeywordValue(text)) return parseKeywordValue(text, origin)
  if (/^\S+@[^\s@]+$/.test(text)) {
    throw refusal(origin, 'has no scheme in front', `Put postgresql:// in front: ${CONNECTION_STRING_FORM}`)
  }
  throw refusal(
    origin,
    `is neither a URL nor keyword=value (${text.length} characters)`,
    `Expected: ${CONNECTION_STRING_FORM}`,
  )
}

/**
 * The fields that a connection string names: a URL (libpq's, SQLAlchemy's, JDBC's) or keywords and values. Repairs
 * what can only mean one thing, with a warning, and refuses what could mean two.
 *
 * @throws ConnectionError with the origin's code; it holds nothing of the text.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
 */
export function parseConnectionString(text: string, origin: Origin): ParsedFields {
  refuseTooLong(text, origin)
  const { text: unwrapped, removed } = unwrap(text)
  const { fields, warnings } = parseUnwrapped(unwrapped, origin)
  const repairs =
    removed.length === 0 ? [] : [`${origin.name}: removed around the connection string: ${removed.join(', ')}`]
  return { fields, warnings: [...repairs, ...warnings] }
}
