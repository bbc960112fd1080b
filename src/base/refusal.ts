/** The error of a text from outside that cannot be used: it names the source, and shows a value only when it has the expected shape. */
import { ConnectionError } from './connection-error.ts'

/** Where a text came from, for messages: the code to throw with, and the name people know the source by. */
export interface Origin {
  readonly code: 'ERR_CONFIG' | 'ERR_SECRET_INVALID'
  /** For example `secret "app/db"`, `DATABASE_URL`, `option connectionString`; of one value `PGPORT`, `DATABASE_URL: port`. */
  readonly name: string
}

/** `message` continues the origin's name: "secret "app/db": is empty". */
export function refusal(origin: Origin, message: string, hint: string): ConnectionError {
  return new ConnectionError(origin.code, `${origin.name}: ${message}`, { hint, safeToRetry: true })
}

/** The place of one value inside a source that holds several. */
export function placeOf(name: string, origin: Origin): Origin {
  return { code: origin.code, name: `${origin.name}: ${name}` }
}

/** `found` says what is wrong with the one value that stands there: "PGPORT is 0; expected …". */
export function valueRefusal(place: Origin, found: string, hint?: string): ConnectionError {
  return new ConnectionError(place.code, `${place.name} ${found}`, { hint, safeToRetry: true })
}

/** What Secrets Manager takes. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const LONGEST_TEXT = 65_536

/** Refuses a text that is too long to be a secret, a connection string or a value, before anything looks into it. */
export function refuseTooLong(text: string, place: Origin): void {
  if (text.length <= LONGEST_TEXT) return
  throw valueRefusal(
    place,
    `has ${text.length} characters; expected at most ${LONGEST_TEXT}`,
    'Put the one thing that belongs there into it.',
  )
}

/** A text in quotes when it has the expected shape, else its length: anything may be a password put there by mistake. */
export function shown(text: string, shape: RegExp): string {
  return shape.test(text) ? `"${text}"` : `(${text.length} characters)`
}

/** Words of letters, whose digits stand at their ends: a generated password, a token or a key of AWS is none. */
const NAME = /^(?=.{1,40}$)(?:[_.-]*[a-z]+\d{0,2}(?![a-z\d]))+[_.-]*$/i

/** True when a text can be the name of a key, a parameter or an option. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/** A name that somebody gave, when it can be one. */
export function shownName(name: string): string {
  return shown(name, NAME)
}
