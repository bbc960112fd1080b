/** What a client has under way when it is released. */
import { type ClientBase, Query } from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inInvocation } from '../../support/invocation.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
  await product.database().query('create table released (n int)')
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  await product.database().query('truncate released')
  product.cloud.standIn.resetCounts()
})

/** Statements that nobody awaits; what becomes of each. */
function sendThree(client: Pick<ClientBase, 'query'>, text = 'insert into released values ($1)') {
  return Promise.allSettled([1, 2, 3].map((n) => client.query(text, [n])))
}

describe('statements that nobody awaited before release()', () => {
  test('run to their end, before the next caller has the client', async () => {
    const { getClient, query } = product.database()
    const client = await getClient()
    void sendThree(client)
    client.release()
    const { rows } = await query('select count(*)::int as n from released')
    expect([rows, product.cloud.standIn.counts.logins]).toEqual([[{ n: 3 }], 1])
  })

  test('end at the deadline: ERR_DEADLINE, and the next caller is answered on a new connection', async () => {
    const { getClient, query } = product.database()
    const told = await inInvocation(1500, async () => {
      const client = await getClient()
      const statements = sendThree(client, 'select pg_sleep(20 + 0 * $1::int)')
      client.release()
      return statements
    })
    expect(told.map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(told[0]).toMatchObject({ reason: { code: 'ERR_DEADLINE' } })
    expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('are no client that an earlier invocation never released', async () => {
    const { getClient, query } = product.database()
    await inInvocation(5000, async () => {
      const client = await getClient()
      void sendThree(client, 'select pg_sleep(0.2), $1::int')
      client.release()
    })
    const { rows } = await inInvocation(5000, () => query('select 1 as one'))
    expect([rows, product.cloud.standIn.counts.logins]).toEqual([[{ one: 1 }], 1])
  })

  test('cost the connection when it is destroyed', async () => {
    const { getClient, query } = product.database()
    const client = await getClient()
    const told = sendThree(client, 'select pg_sleep(20 + 0 * $1::int)')
    client.release(true)
    expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
    expect((await told).map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected'])
  })
})

test('an open cursor is closed with its connection', async () => {
  const { getClient, query } = product.database()
  const client = await getClient()
  await client.query(new Cursor('select generate_series(1, 9)')).read(1)
  client.release()
  expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

describe('pool.query()', () => {
  test('releases a client when a query stream has been read', async () => {
    const pool = product.database().getPool()
    const stream = new QueryStream('select generate_series(1, 500) as n')
    void pool.query(stream)
    const waiting = pool.query('select 1 as one')
    const rows: unknown[] = []
    for await (const row of stream) rows.push(row)
    expect([rows.length, (await waiting).rows, product.cloud.standIn.counts.logins]).toEqual([500, [{ one: 1 }], 1])
  })

  test('releases a client when a prebuilt query has ended', async () => {
    const pool = product.database().getPool()
    const rows: unknown[] = []
    const prebuilt = new Query('select generate_series(1, 3) as n')
    prebuilt.on('row', (row) => rows.push(row))
    void pool.query(prebuilt)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect([rows.length, product.cloud.standIn.counts.logins]).toEqual([3, 1])
  })

  test('releases a client at once when a stream is not sent: no time is left', async () => {
    const pool = product.database().getPool()
    const stream = new QueryStream('select 1')
    const failed = rejection(stream.toArray())
    await inInvocation(-1, async () => pool.query(stream)).catch(() => undefined)
    stream.destroy()
    await failed
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('answers a statement that has a callback among its properties, as pg-pool does', async () => {
    const pool = product.database().getPool()
    const calls: unknown[] = []
    const config = { text: 'select 1 as one', callback: (error: unknown) => calls.push(error) }
    expect([(await pool.query(config)).rows, calls]).toEqual([[{ one: 1 }], []])
  })

  test('refuses a function, which is for pool.connect()', async () => {
    const pool = product.database().getPool()
    const error = await new Promise((resolve) => Reflect.apply(pool.query, pool, [resolve]))
    expect(error).toBeInstanceOf(TypeError)
  })
})

describe('a cursor that is open at the end of transaction()', () => {
  test('is ERR_TRANSACTION at COMMIT, and nothing is committed', async () => {
    const { transaction, query } = product.database()
    const error = await rejection(
      transaction(async (client) => {
        await client.query('insert into released values (1)')
        await client.query(new Cursor('select generate_series(1, 9)')).read(1)
      }),
    )
    expect(error).toMatchObject({ code: 'ERR_TRANSACTION', message: 'a cursor or a stream was still open at COMMIT' })
    expect((await query('select * from released')).rows).toEqual([])
  })

  test('does not delay ROLLBACK', async () => {
    const { transaction, query } = product.database()
    const mistake = new Error('of the work')
    const failed = transaction(async (client) => {
      await client.query('insert into released values (1)')
      await client.query(new Cursor('select generate_series(1, 9)')).read(1)
      throw mistake
    })
    await expect(failed).rejects.toBe(mistake)
    expect((await query('select * from released')).rows).toEqual([])
  })
})

test('a statement that pg refuses before it is sent cancels no other at its deadline', async () => {
  const { query } = product.database()
  const refused = { text: 'select 1' }
  Object.defineProperty(refused, 'values', {
    get: () => {
      throw new Error('no values')
    },
  })
  expect(await inInvocation(1000, () => rejection(query(refused)))).toMatchObject({ message: 'no values' })
  const { rows } = await inInvocation(20_000, () => query('select 1 as one from pg_sleep(1.5)'))
  expect([rows, product.cloud.standIn.counts.logins]).toEqual([[{ one: 1 }], 1])
})
