/** A session at the database, opened by the library: verified TLS, and the Cloud's routing. */
import { createDatabase } from 'cockroach-lambda'
import { foreignText } from '../../src/base/foreign-text.ts'
import type { LoginFields } from './rewritten-secret.ts'
import { RotationError } from './rotation-error.ts'

const STATEMENT_TIMEOUT_MS = 20_000

/** pg's client, as far as a rotation needs it. */
type Client = Awaited<ReturnType<ReturnType<typeof createDatabase>['getClient']>>

export interface Session {
  readonly isCockroach: boolean
  /** Of a name, for SQL. */
  identifier(name: string): string
  /** Of a text, for SQL: a statement about users has no `$1` in PostgreSQL. */
  literal(text: string): string
  /** True when the statement has a row. */
  hasRow(statement: string, values: readonly string[]): Promise<boolean>
  /**
   * Runs a statement about users.
   * @param what it does, for messages
   * @param hint what lets the user do it
   * @throws RotationError with the SQLSTATE
   */
  change(statement: string, what: string, hint: string): Promise<void>
}

/** SQLSTATE insufficient_privilege. */
const INSUFFICIENT_PRIVILEGE = '42501'

/** The server refused user or password: nothing was done. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_AUTHENTICATION'
}

function statementError(error: unknown, what: string, user: string, hint: string): unknown {
  // Errors of the connection have a hint of their own.
  if (!(error instanceof Error) || !('severity' in error)) return error
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const detail = 'detail' in error && typeof error.detail === 'string' ? `; ${foreignText(error.detail)}` : ''
  return new RotationError(`${what} as user "${user}": ${error.message}${detail} (${code})`, {
    code,
    hint: code === INSUFFICIENT_PRIVILEGE ? hint : undefined,
  })
}

async function sessionOf(client: Client, user: string): Promise<Session> {
  const { rows } = await client.query<{ version: string }>('select version() as version')
  return {
    isCockroach: rows.some(({ version }) => version.startsWith('CockroachDB')),
    identifier: (name) => client.escapeIdentifier(name),
    literal: (text) => client.escapeLiteral(text),
    hasRow: async (statement, values) => ((await client.query(statement, [...values])).rowCount ?? 0) > 0,
    async change(statement, what, hint) {
      try {
        await client.query(statement)
      } catch (error) {
        throw statementError(error, what, user, hint)
      }
    },
  }
}

/**
 * Logs in, runs a statement, does `work`, and logs out.
 * @throws ConnectionError as the library does: `ERR_AUTHENTICATION` when the login was refused.
 */
export async function withSession<Result>(
  { password, sslkey, ...fields }: LoginFields,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const database = createDatabase({
    ...fields,
    password: password.reveal(),
    ...(sslkey !== undefined && { sslkey: sslkey.reveal() }),
    max: 1,
    query_timeout: STATEMENT_TIMEOUT_MS,
  })
  try {
    await using client = await database.getClient()
    return await work(await sessionOf(client, fields.user))
  } finally {
    await database.close()
  }
}
