import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Database } from '../../src/database.ts'
import { openProduct, type Product } from '../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  // A process rehearses once.
  vi.resetModules()
})

type DatabaseUse = (database: Database) => Promise<unknown>

/** How often the login is rehearsed while a function of this size does this. */
async function rehearsals(memoryMb: string | undefined, use: DatabaseUse): Promise<number> {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'mine')
  vi.stubEnv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', memoryMb)
  const module = await import('../../src/database.ts')
  const { ConnectionSource } = await import('../../src/connection/source.ts')
  const rehearsed = vi.spyOn(ConnectionSource.prototype, 'destinationOf')
  const database = new module.Database({ secretId: product.secretId })
  await use(database)
  const calls = rehearsed.mock.calls.length
  rehearsed.mockRestore()
  await database.close()
  vi.unstubAllEnvs()
  return calls
}

const USES = {
  'query()': (database) => database.query('select 1'),
  'ready()': (database) => database.ready(),
  'withDatabase(), when the module has run,': async (database) => {
    void database.warmUp()
    await new Promise((resolve) => process.nextTick(resolve))
  },
  'withDatabase() with ready(), when the module has run,': async (database) => {
    void database.warmUp()
    void database.ready()
    await new Promise((resolve) => process.nextTick(resolve))
  },
} as const satisfies Record<string, DatabaseUse>

test.each([
  ['128', 'query()', 0],
  ['1768', 'query()', 0],
  ['1769', 'query()', 1],
  [undefined, 'query()', 1],
  ['128', 'ready()', 1],
  ['128', 'withDatabase(), when the module has run,', 1],
  ['1769', 'withDatabase(), when the module has run,', 0],
  ['128', 'withDatabase() with ready(), when the module has run,', 0],
] as const)('with %s MB, %s has rehearsed the login %i times', async (memoryMb, use, expected) => {
  expect(await rehearsals(memoryMb, USES[use])).toBe(expected)
})
