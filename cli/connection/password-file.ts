/** A file from which libpq reads the password, for as long as a client needs it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface PasswordFile extends Disposable {
  readonly path: string
}

/**
 * In a folder of its own, and only for its owner: a variable would be in the environment of the client and of all that
 * the client starts, which its commands can print.
 *
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function writePasswordFile(password: string): PasswordFile {
  const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-psql-'))
  const path = join(folder, 'pgpass')
  writeFileSync(path, `*:*:*:*:${password.replace(/[\\:]/g, '\\$&')}\n`, { mode: 0o600 })
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}
