/** What the peers' functions do with the secret: RDS' fields, and the root certificate from beside the code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Fields of the secret, as RDS writes them. */
export interface SecretFields {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly dbname: string
}

export const secretId = process.env.COCKROACH_SECRET_ID ?? ''
export const ca = readFileSync(join(process.env.LAMBDA_TASK_ROOT ?? '', 'root.crt'), 'utf8')

/** The settings of `pg`, and of packages that use it. */
export function pgConfig({ host, port, username, password, dbname }: SecretFields) {
  return { host, port, user: username, password, database: dbname, ssl: { ca } }
}
