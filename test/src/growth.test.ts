/** What a warm statement leaves behind until a full garbage collection, in the code that ships: next to nothing. */
import { createRequire } from 'node:module'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Database } from '../../src/database.ts'
import { openProduct } from '../support/product.ts'

const LAYER = '../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs'
const STATEMENTS = 3000
/** One closure takes 64. */
const MOST_BYTES = 100

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

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
