/** Powertools' `getSecret`, and `pg`. */
import { getSecret } from '@aws-lambda-powertools/parameters/secrets'
import pg from 'pg'
import { measured } from './measured.ts'
import { pgConfig, type SecretFields, secretId } from './secret-fields.ts'

let pool: pg.Pool | undefined

async function open(): Promise<pg.Pool> {
  const fields = (await getSecret(secretId, { transform: 'json' })) as unknown as SecretFields
  return new pg.Pool({ ...pgConfig(fields), max: 1 })
}

export async function connect(): Promise<void> {
  pool ??= await open()
  const client = await pool.connect()
  client.release()
}

export const handler = measured(async () => {
  pool ??= await open()
  return pool.query('select 1')
})
