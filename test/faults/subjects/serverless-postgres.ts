/** The package `serverless-postgres`, as its README has it: connect, query, clean. */
import ServerlessClient from 'serverless-postgres'
import { type FaultEvent, operate, type Subject } from './operations.ts'
import { secretConfig } from './secret-config.ts'

/** The part of its API that its README shows; it has no types of its own. */
interface Client {
  connect(): Promise<void>
  clean(): Promise<unknown>
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}

let client: Client | undefined

async function clientOnce(): Promise<Client> {
  const config = await secretConfig()
  client ??= new ServerlessClient({ ...config, maxConnections: 100, delayMs: 100 }) as Client
  await client.connect()
  return client
}

const subject: Subject = {
  query: async (text, values) => {
    const connected = await clientOnce()
    const result = await connected.query(text, values)
    await connected.clean()
    return result
  },
  transaction: async (work) => {
    const connected = await clientOnce()
    try {
      await connected.query('BEGIN ISOLATION LEVEL SERIALIZABLE')
      const result = await work((text, values) => connected.query(text, values))
      await connected.query('COMMIT')
      return result
    } catch (error) {
      await connected.query('ROLLBACK')
      throw error
    }
  },
  leak: async () => {
    await clientOnce()
  },
}

export const handler = (event: FaultEvent) => operate(subject, event)
