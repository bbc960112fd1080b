/** A server that checks a password itself, before PostgreSQL behind it gets the one that it knows. */
import type { FatalError } from './wire-protocol.ts'

/** What a client has sent, when it was asked for its password in clear text. */
export interface ClearTextLogin {
  readonly user: string
  /** The start-up parameter `options`. */
  readonly options: string
  readonly password: string
}

/** The password that PostgreSQL gets instead, or the refusal. */
export type PasswordExchange = (login: ClearTextLogin) => Promise<string | FatalError>
