/** Finds where user and password end and the host begins, when the password was not encoded as it should be. */
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

/** True when an `@` behind `text` belongs to the value of a parameter, as in `?application_name=me@home`. */
function endsInQuery(text: string): boolean {
  const query = text.slice(text.indexOf('?') + 1)
  return text.includes('?') && query.split('&').some((pair) => findParameter(pair.split('=')[0] ?? '') !== undefined)
}

/** The reading in which the `@` at this index (-1: no `@`) stands before the host, if such a reading is possible. */
function readingAt(rest: string, at: number): UrlParts | undefined {
  const userinfo = at === -1 ? '' : rest.slice(0, at)
  const behind = rest.slice(at + 1)
  const end = behind.search(/[/?#]/)
  const hosts = end === -1 ? behind : behind.slice(0, end)
  const [user, password] = splitOnce(userinfo, userinfo.indexOf(':'))
  if (!HOSTS.test(hosts) || /[/?#]/.test(user)) return undefined
  const [host, port] = splitOnce(hosts, hosts.search(/:[^:\]]*$/))
  return { user, password, host, port, tail: end === -1 ? '' : behind.slice(end) }
}

/**
 * Splits what follows `://`. A raw `@`, `/`, `?` or `#` in the password is accepted when only one place can be the
 * beginning of the host. Clients differ here (libpq takes the first `@`, WHATWG the last one before a `/`), so what
 * has two readings is refused: it could send the password to another host.
 */
export function splitAuthority(rest: string, origin: Origin): UrlParts {
  const ats = [...rest.matchAll(/@/g)].map((match) => match.index).filter((at) => !endsInQuery(rest.slice(0, at)))
  const readings = [-1, ...ats].flatMap((at) => readingAt(rest, at) ?? [])
  const [reading, another] = readings
  if (reading === undefined) {
    throw refusal(
      origin,
      'host and port cannot be told apart from the rest of the URL',
      `${ENCODE} Expected: ${CONNECTION_STRING_FORM}`,
    )
  }
  // With a raw / ? # in front of it, an @ is only trusted when it is the only one.
  const isBold = /[/?#]/.test(reading.password) && ats.length > 1
  if (another !== undefined || isBold) {
    throw refusal(origin, 'the URL can be read with two different hosts, because of a raw special character', ENCODE)
  }
  return reading
}
