/** Removes what copying and pasting leaves around a connection string: blanks, quotes, `NAME=`, a command. */
import { isKeywordValue, trimBlanks } from './keyword-value.ts'
import { findParameter } from './parameters.ts'
import { isPostgresqlUrl } from './url.ts'

/** What a payload begins with, so that `password='x'` does not count as a wrapping. */
const PAYLOAD = String.raw`(?=["'\x60]|(?:jdbc:)?[a-z][a-z0-9+.]*:\/\/|\{)`
const ASSIGNMENT = new RegExp(String.raw`^(?:export\s+|set\s+|\$env:)?([a-z_][a-z0-9_]*)\s*(?:=|:\s)\s*${PAYLOAD}`, 'i')
const COMMAND = new RegExp(String.raw`^(?:psql|cockroach\s+sql\s+--url)[\s=]+${PAYLOAD}`, 'i')
const QUOTED = /^(["'`“‘])(.*)(["'`”’])[;,]?$/s
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", '`': '`', '“': '”', '‘': '’' }

interface Unwrapped {
  readonly text: string
  /** What was removed, blanks and byte order mark aside. */
  readonly removed: readonly string[]
}

function unwrapOnce(text: string): { text: string; removed: string } | undefined {
  if (isPostgresqlUrl(text)) return undefined
  const [quoted, opening = '', inner = '', closing] = QUOTED.exec(text) ?? []
  if (quoted !== undefined && closing === CLOSING[opening] && !inner.includes(opening)) {
    return { text: inner, removed: 'quotes' }
  }
  const [command] = COMMAND.exec(text) ?? []
  if (command !== undefined) return { text: text.slice(command.length), removed: 'a command in front' }
  const [assignment, name = ''] = ASSIGNMENT.exec(text) ?? []
  if (assignment === undefined || findParameter(name) !== undefined) return undefined
  return { text: text.slice(assignment.length), removed: 'a variable name in front' }
}

/** Without blanks, line breaks and the byte order mark; a password may end in a character that is a blank for JavaScript, and not for libpq. */
function trim(text: string): string {
  const begun = text.trimStart()
  return isKeywordValue(begun) ? trimBlanks(begun) : begun.trimEnd()
}

/** The text without its wrapping. */
export function unwrap(wrapped: string): Unwrapped {
  const removed: string[] = []
  let text = trim(wrapped)
  for (let next = unwrapOnce(text); next !== undefined; next = unwrapOnce(text)) {
    removed.push(next.removed)
    text = trim(next.text)
  }
  return { text, removed }
}
