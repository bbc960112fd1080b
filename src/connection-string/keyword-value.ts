/** Reads libpq's keyword/value form: `host=db.example.com user=app password='a b'`. */

import { describeWord } from '../base/nearest.ts'
import { type Origin, refusal } from '../base/refusal.ts'
import type { Entry } from './entries.ts'
import type { ParsedFields } from './fields.ts'
import { CONNECTION_PARAMETERS, findParameter, readEntries } from './parameters.ts'

/** A quoted value may hold blanks; in both kinds a backslash makes the next character itself. */
const PAIR = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\']|\\.)(?:[^\s\\]|\\.)*|))(?=\s|$)/suy

const QUOTE = "Put a value with blanks in single quotes, and \\ in front of a ' or \\ in it."

/** True when the text begins with a keyword that libpq knows. */
export function isKeywordValue(text: string): boolean {
  const [, keyword = ''] = /^\s*([a-z_]+)\s*=/i.exec(text) ?? []
  return findParameter(keyword) !== undefined
}

function splitPairs(text: string, origin: Origin): Entry[] {
  const entries: Entry[] = []
  PAIR.lastIndex = 0
  const { length } = text.trimEnd()
  while (PAIR.lastIndex < length) {
    const found = PAIR.exec(text)
    if (found === null) {
      throw refusal(origin, `what follows keyword ${entries.length} is not keyword=value`, QUOTE)
    }
    const [, name = '', quoted, bare = ''] = found
    // libpq would take `user= password=x` for a user of that name, and print it.
    if (quoted === undefined && isKeywordValue(bare)) {
      throw refusal(origin, `keyword ${entries.length + 1} has no value`, `Leave it out, or give it a value. ${QUOTE}`)
    }
    entries.push({ name, value: (quoted ?? bare).replace(/\\(.)/gsu, '$1') })
  }
  return entries
}

/**
 * Reads keywords and values. Like libpq, and unlike the URL form, it refuses an unknown keyword: most often that is
 * the second word of a password without quotes.
 *
 * @throws ConnectionError with the origin's code.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
 */
export function parseKeywordValue(text: string, origin: Origin): ParsedFields {
  const entries = splitPairs(text, origin)
  for (const [index, { name }] of entries.entries()) {
    if (findParameter(name) !== undefined) continue
    const word = describeWord(name, Object.keys(CONNECTION_PARAMETERS))
    throw refusal(
      origin,
      `keyword ${index + 1} is ${word}`,
      `${QUOTE} Write the keywords as libpq does: host, port, dbname, user, password.`,
    )
  }
  return readEntries(entries, origin)
}
