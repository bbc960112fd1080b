/** Two copies of what ships, the layer's and the npm package's, in one process. */
import { createRequire } from 'node:module'
import getPort from 'get-port'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { processWide } from '../../../src/base/process-wide.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

type Copy = typeof import('../../../src/index.ts')

const require = createRequire(import.meta.url)
const LAYER = require('../../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs') as Copy
const PACKAGE = require('../../../dist/index.cjs') as Copy
const IN_TWO_SECONDS = { awsRequestId: 'request-1', getRemainingTimeInMillis: () => 2000 }

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

test('a value is made once for each name', () => {
  const make = vi.fn(() => ({}))
  const first = processWide('test.1', make)
  expect([
    processWide('test.1', make) === first,
    processWide('test.2', make) === first,
    make.mock.calls.length,
  ]).toEqual([...[true, false, 2]])
})

test('the two copies are two', () => {
  expect(LAYER.ConnectionError === PACKAGE.ConnectionError).toBe(false)
})

test.each([
  ['the layer', 'the package', LAYER, PACKAGE],
  ['the package', 'the layer', PACKAGE, LAYER],
])('withDatabase() of %s makes the deadline known to query() of %s', async (_outer, _inner, outer, inner) => {
  const database = inner.createDatabase({ secretId: product.secretId })
  const handler = outer.withDatabase(() => database.query('select pg_sleep(20)'), { secretId: product.secretId })
  expect(await rejection(handler(undefined, IN_TWO_SECONDS))).toMatchObject({ code: 'ERR_DEADLINE' })
  await database.close()
})

test('a password that the server refused one copy is not sent by the other', async () => {
  const { cloud, secretsManager, fields } = product
  secretsManager.secrets.create('wrong', JSON.stringify({ ...fields, password: 'wrong' }))
  cloud.standIn.resetCounts()
  for (const copy of [LAYER, PACKAGE, LAYER, PACKAGE]) {
    const database = copy.createDatabase({ secretId: 'wrong' })
    expect(await rejection(database.query('select 1'))).toMatchObject({ code: 'ERR_AUTHENTICATION' })
    await database.close()
  }
  expect(cloud.standIn.counts.logins).toBe(1)
})

test('the process listens for SIGTERM once', async () => {
  vi.stubEnv('COCKROACH_GRACEFUL_SHUTDOWN', 'true')
  vi.stubEnv('AWS_LAMBDA_RUNTIME_API', `127.0.0.1:${await getPort()}`)
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const before = process.listenerCount('SIGTERM')
  const databases = [LAYER, PACKAGE, LAYER].map((copy) => copy.createDatabase({ secretId: product.secretId }))
  for (const database of databases) database.getPool()
  const warned = stderr.mock.calls.length
  stderr.mockRestore()
  vi.unstubAllEnvs()
  expect([process.listenerCount('SIGTERM') - before, warned]).toEqual([1, 1])
  await Promise.all(databases.map((database) => database.close()))
})
