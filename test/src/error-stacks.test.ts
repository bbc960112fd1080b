/** The stack of every error has the function that asked: whoever reads a log finds the statement by it. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Database } from '../../src/database.ts'
import type { DatabaseOptions } from '../../src/index.ts'
import { inInvocation } from '../support/invocation.ts'
import { openProduct, type Product, rejection } from '../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.secretsManager.requests.length = 0
})

/** Ways to ask for a statement. */
const WAYS: Readonly<Record<string, (database: Database, text: string) => Promise<unknown>>> = {
  'query()': ({ query }, text) => query(text),
  'transaction()': ({ transaction }, text) => transaction(async (client) => await client.query(text)),
  'getClient()': async ({ getClient }, text) => {
    await using client = await getClient()
    return await client.query(text)
  },
  'getPool().query()': ({ getPool }, text) => getPool().query(text),
}

/** What goes wrong, and the error's code. */
const FAILURES: Readonly<
  Record<string, { code: string; options?: DatabaseOptions; text?: string; remainingMs?: number }>
> = {
  'a statement that the server refuses': { code: '42601', text: 'selectt' },
  'a statement that is cancelled at the deadline': {
    code: 'ERR_DEADLINE',
    text: 'select pg_sleep(20)',
    remainingMs: 1500,
  },
  'no time left': { code: 'ERR_DEADLINE', remainingMs: 0 },
  'a server that is not there': { code: 'ERR_CONNECT', options: { port: 1 }, remainingMs: 1500 },
  'a wrong password': { code: 'ERR_AUTHENTICATION', options: { password: 'wrong' } },
  'a secret that is absent': { code: 'ERR_SECRET_UNAVAILABLE', options: { secretId: 'absent' } },
  'a wrong option': { code: 'ERR_CONFIG', options: { port: 0 } },
}

async function theCaller(way: string, database: Database, text: string): Promise<void> {
  await WAYS[way]?.(database, text)
}

const ROWS = Object.keys(FAILURES).flatMap((failure) => Object.keys(WAYS).map((way) => [failure, way] as const))

test.each(ROWS)('%s, by %s', async (failure, way) => {
  const {
    code,
    options = {},
    text = 'select 1',
    remainingMs = 20_000,
  } = FAILURES[failure] ?? expect.fail('no such row')
  const database = product.database(options)
  const error = await rejection(inInvocation(remainingMs, () => theCaller(way, database, text)))
  expect(error).toMatchObject({ code })
  expect(error.stack).toContain('theCaller')
})
