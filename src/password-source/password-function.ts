/** The password that a function of the caller returns: RDS's and Aurora DSQL's tokens, for example. */
import { ConnectionError } from '../base/connection-error.ts'
import { foreignError } from '../base/foreign-text.ts'
import type { Password } from '../base/password.ts'
import { type Origin, valueRefusal } from '../base/refusal.ts'
import { within } from '../base/within.ts'
import { readPassword } from '../connection-string/values.ts'
import { answerLimit } from '../lambda/deadline.ts'
import type { PasswordFunction } from '../settings/database-options.ts'
import type { PasswordSource } from './password-source.ts'

const ORIGIN: Origin = { code: 'ERR_CONFIG', name: 'what option password returned' }

function unavailable(error: unknown): ConnectionError {
  // An error of JSON.parse quotes what it read, which may be the password.
  const cause = error instanceof SyntaxError ? new Error('a text could not be parsed') : foreignError(error)
  return new ConnectionError(
    'ERR_PASSWORD_UNAVAILABLE',
    `the function in option password failed: ${cause.name}: ${cause.message}`,
    { cause, hint: 'It is called whenever a connection is opened: does it work by itself?', safeToRetry: true },
  )
}

async function ask(call: PasswordFunction): Promise<Password> {
  const limit = answerLimit('option password returned no password', unavailable)
  // A promise that does not settle is left behind.
  const asked: Promise<unknown> = (async () => call())()
  const password = await within(
    limit,
    asked.catch((error: unknown) => Promise.reject(unavailable(error))),
  )
  if (typeof password !== 'string' || password === '') {
    const found = typeof password === 'string' ? 'empty' : `a ${password === null ? 'null' : typeof password}`
    throw valueRefusal(ORIGIN, `is ${found}; expected the password`, 'Return a string, or a promise of one.')
  }
  return readPassword(password, ORIGIN)
}

/** Asks for each connection, since the answers may be tokens that last minutes. */
export function passwordFunction(call: PasswordFunction): PasswordSource {
  const current = (): Promise<Password> => ask(call)
  return { kind: 'function', current, renewed: current, explained: async (_host, refusal) => refusal }
}
