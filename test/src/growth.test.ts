/** What a warm statement costs by the form of our objects, and leaves behind until a full garbage collection, in the code that ships. */
import { createRequire } from 'node:module'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import getPort from 'get-port'
import { expect, test, vi } from 'vitest'
import type { Database } from '../../src/database.ts'
import { openProduct } from '../support/product.ts'

/** Makes and closes so many databases. */
const DATABASES = 1000
/** One database takes several thousand; the stand-ins are in this process too, and keep a log. */
const MOST_BYTES_EACH = 300

const LAYER = '../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs'
const STATEMENTS = 3000
/** One closure takes 64. */
const MOST_BYTES = 100

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
setFlagsFromString('--allow-natives-syntax')
const isFast = runInNewContext('(object) => %HasFastProperties(object)') as (object: object) => boolean

function oldSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')?.space_used_size ?? Number.NaN
}

test('a statement in a warm invocation leaves no closure in the old generation', async () => {
  await using product = await openProduct()
  const { withDatabase } = createRequire(import.meta.url)(LAYER) as typeof import('../../src/index.ts')
  const handler = withDatabase(
    async (work: (db: Database) => Promise<unknown>, _context, db) => {
      await work(db)
    },
    { secretId: product.secretId },
  )
  const invoke = (work = (db: Database) => db.query('select 1') as Promise<unknown>) =>
    handler(work, { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 60_000 })
  for (let i = 0; i < 500; i += 1) await invoke()
  collectGarbage()
  const before = oldSpaceBytes()
  for (let i = 0; i < STATEMENTS; i += 1) await invoke()
  expect((oldSpaceBytes() - before) / STATEMENTS).toBeLessThan(MOST_BYTES)
  await invoke((db) => db.close())
})

test('V8 has client, connection and pool in the form whose properties it finds at once', async () => {
  await using product = await openProduct()
  const { createDatabase } = createRequire(import.meta.url)(LAYER) as typeof import('../../src/index.ts')
  const database = createDatabase({ secretId: product.secretId })
  await database.query('select 1')
  const client = await database.getClient()
  const objects = [client, Reflect.get(client, 'connection'), database.getPool()]
  expect(objects.map(isFast)).toEqual([true, true, true])
  client.release()
  await database.close()
})

test.each([
  ['close()', (database: Database) => database.close()],
  ['getPool().end()', (database: Database) => database.getPool().end()],
])('a database that %s ended leaves nothing, with graceful shutdown', async (_name, end) => {
  await using product = await openProduct()
  vi.stubEnv('COCKROACH_GRACEFUL_SHUTDOWN', 'true')
  vi.stubEnv('AWS_LAMBDA_RUNTIME_API', `127.0.0.1:${await getPort()}`)
  const { createDatabase } = createRequire(import.meta.url)(LAYER) as typeof import('../../src/index.ts')
  const use = async (count: number) => {
    for (let number = 0; number < count; number += 1) {
      const database = createDatabase({ secretId: product.secretId })
      if (number % 50 === 0) await database.query('select 1')
      else database.getPool()
      await end(database)
    }
    collectGarbage()
    return {
      heap: process.memoryUsage().heapUsed,
      listeners: process.eventNames().map((event) => [event, process.listenerCount(event)]),
      timers: process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length,
    }
  }
  // The first ones also load and compile.
  const before = await use(DATABASES)
  const after = await use(DATABASES)
  vi.unstubAllEnvs()
  expect((after.heap - before.heap) / DATABASES).toBeLessThan(MOST_BYTES_EACH)
  expect([after.listeners, after.timers]).toEqual([before.listeners, before.timers])
})
