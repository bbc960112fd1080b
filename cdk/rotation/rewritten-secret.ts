/** Puts another user and password into the text of a secret, and leaves every other character of it as it is. */
import { ConnectionError } from '../../src/base/connection-error.ts'
import { Password } from '../../src/base/password.ts'
import type { ConnectionFields } from '../../src/connection-string/fields.ts'
import { parseSecret, type SecretOptions } from '../../src/secret/value/parse.ts'
import { type Login, loginPlaces } from './login-places.ts'

/** The fields of a secret that has a login. */
export type LoginFields = ConnectionFields & { readonly user: string; readonly password: Password }

/**
 * Reads a secret that can be rotated.
 * @throws ConnectionError `ERR_SECRET_INVALID`: it cannot be read, or has no user or no password.
 */
export function readLogin(secretString: string, options: SecretOptions): LoginFields {
  const { fields } = parseSecret(secretString, options)
  const { user, password } = fields
  if (user !== undefined && password !== undefined) return { ...fields, user, password }
  const missing = [...(user === undefined ? ['user'] : []), ...(password === undefined ? ['password'] : [])]
  throw new ConnectionError(
    options.origin.code,
    `${options.origin.name}: holds no ${missing.join(' and no ')}, so there is nothing to rotate`,
    { hint: 'Store user and password together in this secret; a login without a password needs no rotation.' },
  )
}

/** The text with another login. */
function replaced(secretString: string, before: Login, after: Login): string {
  const changed = loginPlaces(secretString, before).filter(({ field }) => before[field] !== after[field])
  let text = secretString
  for (const { field, start, end, write } of changed.toSorted((a, b) => b.start - a.start)) {
    text = `${text.slice(0, start)}${write(after[field])}${text.slice(end)}`
  }
  return text
}

function isChangedAsMeant(before: LoginFields, after: LoginFields, login: Login): boolean {
  const plain = (fields: LoginFields) => JSON.stringify({ ...fields, user: '', password: '' })
  return (
    after.user === login.user && after.password.equals(new Password(login.password)) && plain(before) === plain(after)
  )
}

/**
 * The same secret with another login, in the same form: key names, order, blanks and all other members stay.
 *
 * The result is read again: it must name the same server and database, and exactly this login.
 * @throws ConnectionError `ERR_SECRET_INVALID` when that fails, or the secret cannot be read.
 */
export function withLogin(secretString: string, options: SecretOptions, login: Login): string {
  const before = readLogin(secretString, options)
  const { user, password } = before
  const text = replaced(secretString, { user, password: password.reveal() }, login)
  if (isChangedAsMeant(before, readLogin(text, options), login)) return text
  throw new ConnectionError(
    options.origin.code,
    `${options.origin.name}: user and password cannot be replaced in it without changing more`,
    { hint: 'Store one connection string, or JSON with host, port, username, password and dbname.' },
  )
}
