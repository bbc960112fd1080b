/** `pg.Pool` as node-postgres' documentation has it: made once, outside the handler. */
import pg from 'pg'
import { type FaultEvent, operate, type Subject } from './operations.ts'
import { secretConfig } from './secret-config.ts'

let pool: pg.Pool | undefined

async function poolOnce(): Promise<pg.Pool> {
  const config = await secretConfig()
  pool ??= new pg.Pool({ ...config, max: 1 })
  return pool
}

const subject: Subject = {
  query: async (text, values) => (await poolOnce()).query(text, values),
  transaction: async (work) => {
    const client = await (await poolOnce()).connect()
    try {
      await client.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      const result = await work((text, values) => client.query(text, values))
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  },
  leak: async () => {
    await (await poolOnce()).connect()
  },
}

export const handler = (event: FaultEvent) => operate(subject, event)
