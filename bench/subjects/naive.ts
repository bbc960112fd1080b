/** `pg` and the AWS SDK, each as its documentation has it; the pool stays for warm invocations. */
import pg from 'pg'
import { measured } from './measured.ts'
import { sdkSecret } from './sdk-secret.ts'
import { pgConfig } from './secret-fields.ts'

let pool: pg.Pool | undefined

export async function connect(): Promise<void> {
  pool ??= new pg.Pool({ ...pgConfig(await sdkSecret()), max: 1 })
  const client = await pool.connect()
  client.release()
}

export const handler = measured(async () => {
  pool ??= new pg.Pool({ ...pgConfig(await sdkSecret()), max: 1 })
  return pool.query('select 1')
})
