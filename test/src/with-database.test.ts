import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { withDatabase } from '../../src/index.ts'
import { openProduct, type Product, rejection } from '../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
  product.secretsManager.requests.length = 0
})

/** A handler's context whose deadline is `ms` away. */
const contextOf = (ms: number) => {
  const endAt = Date.now() + ms
  return { awsRequestId: 'request-1', getRemainingTimeInMillis: () => endAt - Date.now() }
}

describe('withDatabase()', () => {
  test('connects before the first invocation', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => (await db.query('select 1 as one')).rows, {
      secretId,
    })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    expect(await handler({}, contextOf(5000))).toEqual([{ one: 1 }])
    expect({ parameters: handler.length, logins: cloud.standIn.counts.logins }).toEqual({ parameters: 2, logins: 1 })
  })

  test('leaves an error of connecting during init to the first statement', async () => {
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId: 'absent' })
    await expect(handler({}, contextOf(5000))).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })

  test('runs a handler with wrong settings, so that it can report them', async () => {
    const { healthCheck } = product.database({ port: 0 })
    const handler = withDatabase(() => healthCheck(), { port: 0 })
    expect(await handler({}, contextOf(5000))).toMatchObject({ ok: false, error: { code: 'ERR_CONFIG' } })
  })
})

describe('a statement in an invocation', () => {
  test('is cancelled at the server before the deadline: ERR_DEADLINE', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(
      async (_event: unknown, _context, db) => db.query('select pg_sleep(30), 42 as deadline_marker'),
      { secretId },
    )
    const context = contextOf(2000)
    await expect(handler({}, context)).rejects.toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: false })
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(100)
    const running = async () =>
      (
        await cloud.postgres.query(
          "select 1 from pg_stat_activity where state = 'active' and query like '%deadline_marker%' and pid <> pg_backend_pid()",
        )
      ).length
    await expect.poll(running).toBe(0)
    expect(cloud.standIn.counts.cancels).toBe(1)
    await expect(handler({}, contextOf(1000))).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
  })

  test('waits for Secrets Manager until the deadline, not longer: ERR_SECRET_UNAVAILABLE', async () => {
    const { secretId, secretsManager } = product
    secretsManager.delayMs = 3000
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    const context = contextOf(1200)
    const error = await rejection(handler({}, context))
    secretsManager.delayMs = 0
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', safeToRetry: true })
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(100)
  })

  test('is not sent without time left: ERR_DEADLINE', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    await expect(handler({}, contextOf(0))).rejects.toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })
})
