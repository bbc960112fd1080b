/** Reads libpq's keyword/value form: `host=db.example.com user=app password='a b'`. */

import { describeWord } from '../base/nearest.ts'
import { type Origin, refusal } from '../base/refusal.ts'
import type { Entry } from './entries.ts'
import type { ParsedFields } from './fields.ts'
import { CONNECTION_PARAMETERS, findParameter, readEntries } from './parameters.ts'
import { isServerSetting } from './server-settings.ts'

/**
 * A quoted value may hold blanks; with and without quotes, a backslash escapes the next character. Blanks are
 * libpq's: JavaScript's `\s` has more, which may be in a password.
 */
export const PAIR =
  /[ \t-\r]*([^ \t-\r=]+)[ \t-\r]*=[ \t-\r]*(?:'((?:[^'\\]|\\.)*)'|((?:[^ \t-\r\\']|\\.)(?:[^ \t-\r\\]|\\.)*|))(?=[ \t-\r]|$)/suy

const QUOTE = "Put a value with blanks in single quotes, and \\ in front of a ' or \\ in it."

/** True when the text begins with a keyword of libpq. */
export function isKeywordValue(text: string): boolean {
  const equals = text.indexOf('=')
  const keyword = text.slice(0, Math.max(equals, 0)).trim()
  return findParameter(keyword) !== undefined && /^[a-z_]+$/i.test(keyword)
}

/** The text without libpq's blanks at its end. */
export function trimBlanks(text: string): string {
  let end = text.length
  while (/[ \t-\r]/.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

function splitPairs(text: string, origin: Origin): Entry[] {
  const entries: Entry[] = []
  PAIR.lastIndex = 0
  const { length } = trimBlanks(text)
  while (PAIR.lastIndex < length) {
    const found = PAIR.exec(text)
    if (found === null) {
      throw refusal(origin, `what follows keyword ${entries.length} is not keyword=value`, QUOTE)
    }
    const [, name = '', quoted, bare = ''] = found
    // In `user= password=x`, libpq reads a user of the name `password=x`, and prints it.
    if (quoted === undefined && isKeywordValue(bare)) {
      throw refusal(origin, `keyword ${entries.length + 1} has no value`, `Leave it out, or give it a value. ${QUOTE}`)
    }
    entries.push({ name, value: (quoted ?? bare).replace(/\\(.)/gsu, '$1') })
  }
  return entries
}

/**
 * Reads keywords and values. Like libpq, and unlike the URL form, it refuses an unknown keyword: it is mostly
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
    const form = isServerSetting(name)
      ? "Write a setting of the session as libpq does: options='-c search_path=billing'."
      : 'Write the keywords as libpq does: host, port, dbname, user, password.'
    throw refusal(origin, `keyword ${index + 1} is ${word}`, `${QUOTE} ${form}`)
  }
  return readEntries(entries, origin)
}
