/** The package `postgres` (postgres.js); the secret through the AWS SDK. */
import postgres from 'postgres'
import { measured } from './measured.ts'
import { sdkSecret } from './sdk-secret.ts'
import { pgConfig } from './secret-fields.ts'

let sql: postgres.Sql | undefined

export async function connect(): Promise<void> {
  sql ??= postgres({ ...pgConfig(await sdkSecret()), max: 1 })
  await sql`select 1`
}

export const handler = measured(async () => {
  sql ??= postgres({ ...pgConfig(await sdkSecret()), max: 1 })
  return sql`select 1`
})
