import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
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

/** Whether the login is rehearsed while a function of this size reads its secret. */
async function rehearses(memoryMb: string | undefined, use: 'ready' | 'query'): Promise<boolean> {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'mine')
  vi.stubEnv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE', memoryMb)
  const { Database } = await import('../../src/database.ts')
  const { ConnectionSource } = await import('../../src/connection/source.ts')
  const rehearsed = vi.spyOn(ConnectionSource.prototype, 'destinationOf')
  const database = new Database({ secretId: product.secretId })
  await (use === 'ready' ? database.ready() : database.query('select 1'))
  const calls = rehearsed.mock.calls.length
  rehearsed.mockRestore()
  await database.close()
  vi.unstubAllEnvs()
  return calls > 0
}

test.each([
  ['128', 'query', false],
  ['1768', 'query', false],
  ['1769', 'query', true],
  [undefined, 'query', true],
  ['128', 'ready', true],
] as const)('with %s MB, %s() rehearses the login: %s', async (memoryMb, use, expected) => {
  expect(await rehearses(memoryMb, use)).toBe(expected)
})
