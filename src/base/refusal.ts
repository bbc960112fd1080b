/** The error of a text from outside that cannot be used: it names the origin, and shows a value only when it has the expected shape. */
import { ConnectionError } from './connection-error.ts'

/** Where a text was read: the code to throw with, and the name for messages. */
export interface Origin {
  readonly code: 'ERR_CONFIG' | 'ERR_SECRET_INVALID'
  /** For example `secret "app/db"`, `DATABASE_URL`, `option connectionString`; of one value `PGPORT`, `DATABASE_URL: port`. */
  readonly name: string
}

/** `message` continues the origin's name: "secret "app/db": is empty". */
export function refusal(origin: Origin, message: string, hint: string): ConnectionError {
  return new ConnectionError(origin.code, `${origin.name}: ${message}`, { hint, safeToRetry: true })
}

/** The origin of one value, by its name, inside an origin that has several. */
export function innerOrigin(name: string, origin: Origin): Origin {
  return { code: origin.code, name: `${origin.name}: ${name}` }
}

/** `found` says what is wrong with the one value: "PGPORT is 0; expected …". */
export function valueRefusal(origin: Origin, found: string, hint?: string): ConnectionError {
  return new ConnectionError(origin.code, `${origin.name} ${found}`, { hint, safeToRetry: true })
}

/** The limit of Secrets Manager. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html */
const LONGEST_TEXT = 65_536

/** Refuses a text that is too long to be a secret, a connection string or a value, before anything looks into it. */
export function refuseTooLong(text: string, origin: Origin): void {
  if (text.length <= LONGEST_TEXT) return
  throw valueRefusal(
    origin,
    `has ${text.length} characters; expected at most ${LONGEST_TEXT}`,
    'Store only what belongs there.',
  )
}

/** A text in quotes when it has the expected shape, else its length: any text may be a password stored there by mistake. */
export function shown(text: string, shape: RegExp): string {
  return shape.test(text) ? `"${text}"` : `(${text.length} characters)`
}

/** Words of letters, whose digits stand at their ends: a generated password, a token or an AWS key is not a name. */
const NAME = /^(?=.{1,40}$)(?:[_.-]*[a-z]+\d{0,2}(?![a-z\d]))+[_.-]*$/i

/** True when a text can be the name of a key, a parameter or an option. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/** A name in quotes when it can be one, else its length. */
export function shownName(name: string): string {
  return shown(name, NAME)
}
