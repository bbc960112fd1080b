/** Finds where user and password end and the host begins, even when the password is not percent-encoded. */
import { type Origin, refusal } from '../base/refusal.ts'
import { findParameter } from './parameters.ts'
import { CONNECTION_STRING_FORM } from './writer.ts'

/** The parts of a URL behind `://`, still encoded. */
export interface UrlParts {
  readonly user: string
  readonly password: string
  readonly host: string
  readonly port: string
  /** From the first `/`, `?` or `#` behind the host. */
  readonly tail: string
}

const PLACEHOLDER = String.raw`<[^<>@/?#]*>|\{[^{}@/?#]*\}`
const HOST = String.raw`(?:\[[^\]\s@/?#]+\]|(?:[\w.$-]|%[0-9a-f]{2}|${PLACEHOLDER})*)`
const PORT = String.raw`(?::(?:\d*|\$\w+|\$?(?:${PLACEHOLDER})))?`
const HOSTS = new RegExp(`^${HOST}${PORT}(?:,${HOST}${PORT})*$`, 'i')

const ENCODE =
  'Percent-encode the special characters of user, password and database: @ as %40, / as %2F, ? as %3F, # as %23, : as %3A, % as %25.'

function splitOnce(text: string, at: number): [string, string] {
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

/** Adds the position of each `@` in a part of the URL, from `from` on; the part itself begins at `offset`. */
function addMarks(marks: number[], part: string, offset: number, from = 0): void {
  for (let at = part.indexOf('@', from); at !== -1; at = part.indexOf('@', at + 1)) marks.push(offset + at)
}

/** Positions of an `@` that may end user and password: not behind the name of a parameter, as in `?application_name=me@home`. */
function possibleMarks(rest: string): readonly number[] {
  const marks: number[] = []
  const [head = ''] = rest.split('?', 1)
  addMarks(marks, head, 0)
  let offset = head.length + 1
  for (const pair of rest.slice(offset).split('&')) {
    const [name = ''] = pair.split(/[=@]/, 1)
    const isParameter = findParameter(name) !== undefined
    // All that follows is the query.
    if (isParameter && pair[name.length] !== '@') break
    addMarks(marks, pair, offset, isParameter ? name.length + 1 : 0)
    offset += pair.length + 1
  }
  return marks
}

/** Ends before the next `@`, so that all readings together scan the text once. */
const UP_TO_MARK = /[^@/?#]*/y

/** The possible readings in which one of `ats` (-1: no `@`) is in front of the host. */
function* readings(rest: string, ats: readonly number[]): Generator<UrlParts> {
  const colon = rest.indexOf(':')
  const firstMark = rest.search(/[/?#]/)
  for (const at of ats) {
    UP_TO_MARK.lastIndex = at + 1
    const [hosts = ''] = UP_TO_MARK.exec(rest) ?? []
    const end = at + 1 + hosts.length
    const hasPassword = colon !== -1 && colon < at
    const userEnd = hasPassword ? colon : Math.max(at, 0)
    const isUserBroken = firstMark !== -1 && firstMark < userEnd
    if (rest[end] === '@' || isUserBroken || !HOSTS.test(hosts)) continue
    const [host, port] = splitOnce(hosts, hosts.search(/:[^:\]]*$/))
    const password = hasPassword ? rest.slice(colon + 1, at) : ''
    yield { user: rest.slice(0, userEnd), password, host, port, tail: rest.slice(end) }
  }
}

/**
 * Splits what follows `://`. A raw `@`, `/`, `?` or `#` in the password is accepted when the host can begin in one
 * way only. Clients differ (libpq uses the first `@`, WHATWG the last one before a `/`), so a text with two readings
 * is refused: it could send the password to another host.
 */
export function splitAuthority(rest: string, origin: Origin): UrlParts {
  const ats = possibleMarks(rest)
  const [reading, another] = readings(rest, [-1, ...ats])
  if (reading === undefined) {
    throw refusal(origin, 'host and port cannot be found in the URL', `${ENCODE} Expected: ${CONNECTION_STRING_FORM}`)
  }
  // With a raw / ? # in front of it, an @ counts only if there is no other.
  const isBold = ats.length > 1 && /[/?#]/.test(reading.password)
  // libpq ends user and password at the first @ in front of any /, even behind a ?; a socket's path may hold another @.
  const login = reading.user + reading.password
  const isOtherToLibpq =
    (reading.user === '' && /^\?[^/]*@/.test(reading.tail)) || (login.includes('%') && /@%2f|^%2f.*\//i.test(login))
  if (another !== undefined || isBold || isOtherToLibpq) {
    throw refusal(origin, 'the URL can be read with two different hosts, because of a raw special character', ENCODE)
  }
  return reading
}
