/** middy's `secrets-manager`, which begins to read the secret while the module loads, and `pg`. */
import middy from '@middy/core'
import secretsManager from '@middy/secrets-manager'
import pg from 'pg'
import { type BenchEvent, measured } from './measured.ts'
import { pgConfig, type SecretFields, secretId } from './secret-fields.ts'

interface Context {
  readonly database: SecretFields
}

let pool: pg.Pool | undefined

const wrapped = middy(async (_event: BenchEvent, context: object) => {
  pool ??= new pg.Pool({ ...pgConfig((context as Context).database), max: 1 })
  return pool.query('select 1')
}).use(secretsManager({ fetchData: { database: secretId }, setToContext: true }))

export const handler = measured((event, context) => Reflect.apply(wrapped, undefined, [event, context]))
