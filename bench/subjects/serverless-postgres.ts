/** The package `serverless-postgres`: connect, query, clean; the secret through the AWS SDK. */
import ServerlessClient from 'serverless-postgres'
import { measured } from './measured.ts'
import { sdkSecret } from './sdk-secret.ts'
import { pgConfig } from './secret-fields.ts'

/** The part of its API that its README shows; it has no types of its own. */
interface Client {
  connect(): Promise<void>
  clean(): Promise<unknown>
  query(text: string): Promise<unknown>
}

let client: Client | undefined

export async function connect(): Promise<void> {
  client ??= new ServerlessClient({ ...pgConfig(await sdkSecret()), maxConnections: 100, delayMs: 100 }) as Client
  await client.connect()
}

export const handler = measured(async () => {
  client ??= new ServerlessClient({ ...pgConfig(await sdkSecret()), maxConnections: 100, delayMs: 100 }) as Client
  await client.connect()
  const result = await client.query('select 1')
  await client.clean()
  return result
})
