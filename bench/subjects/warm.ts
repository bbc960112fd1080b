/** `query()` of this package and `client.query()` of a bare client, in turns, in one warm process. */
import { withDatabase } from 'cockroach-lambda'
import { Client } from 'pg'
import { sdkSecret } from './sdk-secret.ts'
import { pgConfig } from './secret-fields.ts'

export interface WarmEvent {
  readonly way: 'query()' | 'client.query()'
  readonly count: number
}

/** Per statement. */
export interface WarmAnswer {
  readonly us: number
  readonly processorUs: number
}

let bare: Client | undefined

async function bareClient(): Promise<Client> {
  const client = new Client(pgConfig(await sdkSecret()))
  await client.connect()
  return client
}

export const handler = withDatabase(async ({ way, count }: WarmEvent, _context, db): Promise<WarmAnswer> => {
  bare ??= await bareClient()
  const client = bare
  const select = way === 'query()' ? () => db.query('select 1') : () => client.query('select 1')
  const processor = process.cpuUsage()
  const startedMs = performance.now()
  for (let left = count; left > 0; left -= 1) await select()
  const ms = performance.now() - startedMs
  const { user, system } = process.cpuUsage(processor)
  return { us: (ms * 1000) / count, processorUs: (user + system) / count }
})
