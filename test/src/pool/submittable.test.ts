import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CheckedOutClient } from '../../../src/index.ts'
import { currentInvocation } from '../../../src/lambda/deadline.ts'
import { inInvocation } from '../../support/invocation.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'
import { endSessions } from '../../support/sessions.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
  await product.database().query('create table copied (id int)')
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
})

/** Sleeps long at the server, in a statement that can be found there. */
const SLOW = 'select pg_sleep(30), 1 as submitted_marker'

/** Of this file's own user: the server is shared with other runs of the same statements. */
async function runningCount(): Promise<number> {
  const { postgres, user } = product.cloud
  const rows = await postgres.query(
    "select 1 from pg_stat_activity where (query like '%submitted_marker%' or query like 'copy%') and state <> 'idle' and usename = $1",
    [user],
  )
  return rows.length
}

/** Data that never ends, and comes slowly enough to be no load. */
async function* endless(): AsyncGenerator<string> {
  for (let id = 0; ; id += 1) {
    yield `${id}\n`
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function readAll(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = []
  for await (const item of stream) items.push(item)
  return items
}

type Use = (client: CheckedOutClient) => Promise<unknown>

const byCallback = (send: (callback: (error?: Error | null, result?: unknown) => void) => void): Promise<unknown> =>
  new Promise((resolve, reject) => send((error, result) => (error ? reject(error) : resolve(result))))

const STATEMENTS: Readonly<Record<string, { slow: Use; quick: Use }>> = {
  'a cursor': {
    slow: (client) => client.query(new Cursor(SLOW)).read(1),
    quick: async (client) => {
      const cursor = client.query(new Cursor('select generate_series(1, 3) as n'))
      const rows = [...(await cursor.read(2)), ...(await cursor.read(2))]
      await cursor.close()
      return rows.length
    },
  },
  'a cursor read by callback': {
    slow: (client) => byCallback((callback) => client.query(new Cursor(SLOW)).read(1, callback)),
    quick: async (client) => {
      const cursor = client.query(new Cursor('select generate_series(1, 3) as n'))
      const rows = await byCallback((callback) => cursor.read(10, callback))
      await cursor.close()
      return Array.isArray(rows) && rows.length
    },
  },
  'a query stream': {
    slow: (client) => readAll(client.query(new QueryStream(SLOW))),
    quick: async (client) => (await readAll(client.query(new QueryStream('select generate_series(1, 3)')))).length,
  },
  'COPY to a stream': {
    slow: (client) => readAll(client.query(copyTo(`copy (${SLOW}) to stdout`))),
    quick: async (client) =>
      (await readAll(client.query(copyTo('copy (select generate_series(1, 3)) to stdout')))).join('').split('\n')
        .length - 1,
  },
  'COPY from a stream': {
    slow: (client) => pipeline(Readable.from(endless()), client.query(copyFrom('copy copied from stdin'))),
    quick: async (client) => {
      const stream = client.query(copyFrom('copy copied from stdin'))
      await pipeline(Readable.from(['1\n2\n3\n']), stream)
      return stream.rowCount
    },
  },
  'a prebuilt query': {
    slow: (client) =>
      byCallback((callback) => Reflect.apply(client.query, client, [new pg.Query({ text: SLOW }), callback])),
    quick: async (client) => {
      const result = await byCallback((callback) =>
        Reflect.apply(client.query, client, [new pg.Query({ text: 'select generate_series(1, 3)' }), callback]),
      )
      return Object(result).rowCount
    },
  },
  'a config with a callback': {
    slow: (client) => byCallback((callback) => Reflect.apply(client.query, client, [{ text: SLOW, callback }])),
    quick: async (client) => {
      const text = 'select generate_series(1, 3)'
      const result = await byCallback((callback) => Reflect.apply(client.query, client, [{ text, callback }]))
      return Object(result).rowCount
    },
  },
  'a config with a callback that is undefined': {
    slow: (client) => Reflect.apply(client.query, client, [{ text: SLOW, callback: undefined }]),
    quick: async (client) => {
      const config = { text: 'select generate_series(1, 3)', callback: undefined }
      return (await Reflect.apply(client.query, client, [config])).rowCount
    },
  },
}

describe.each(Object.entries(STATEMENTS))('%s', (_, { slow, quick }) => {
  test('is cancelled at the server at the deadline, and its consumer gets ERR_DEADLINE', async () => {
    const database = product.database()
    const pool = database.getPool()
    const startedAt = performance.now()
    const error = await inInvocation(2000, async () => {
      const client = await database.getClient()
      try {
        return await rejection(slow(client))
      } finally {
        client.release()
      }
    })
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: false })
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    await expect.poll(runningCount).toBe(0)
    expect([product.cloud.standIn.counts.cancels, pool.totalCount]).toEqual([1, 0])
  })

  test('is not sent without time left: ERR_DEADLINE', async () => {
    const database = product.database()
    const client = await database.getClient()
    const error = await inInvocation(0, () => rejection(slow(client)))
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
    expect([await runningCount(), product.cloud.standIn.counts.cancels]).toEqual([0, 0])
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
  })

  test('leaves its client usable when it ended in time, also past the deadline of its invocation', async () => {
    const database = product.database()
    const pool = database.getPool()
    const client = await database.getClient()
    const remainingMs = 1000
    const deadlineAt = performance.now() + remainingMs
    const count = await inInvocation(remainingMs, async () => quick(client))
    await expect.poll(() => performance.now() > deadlineAt, { timeout: 20_000 }).toBe(true)
    const { rows } = await client.query('select pg_sleep(0.1), 1 as one')
    client.release()
    expect([count, rows, pool.idleCount]).toEqual([3, [{ pg_sleep: '', one: 1 }], 1])
  })

  test('runs without a deadline outside an invocation', async () => {
    const client = await product.database().getClient()
    expect(await quick(client)).toBe(3)
    client.release()
  })
})

test('a query stream whose connection breaks fails', async () => {
  const database = product.database()
  const client = await database.getClient()
  const reading = rejection(readAll(client.query(new QueryStream(SLOW))))
  await expect.poll(runningCount).toBe(1)
  await endSessions(product)
  expect(await reading).toBeInstanceOf(Error)
  client.release()
})

test('LISTEN is no statement under way at the deadline', async () => {
  const pool = product.database().getPool()
  const client = await pool.connect()
  const heard = new Promise((resolve) => client.on('notification', ({ payload }) => resolve(payload)))
  const deadlineAt = performance.now() + 300
  await inInvocation(300, () => client.query('listen submitted'))
  await expect.poll(() => performance.now() > deadlineAt, { timeout: 20_000 }).toBe(true)
  await product.database().query("notify submitted, 'still here'")
  expect([await heard, product.cloud.standIn.counts.cancels]).toEqual(['still here', 0])
  client.release()
})

test('an open cursor that nobody reads is ended at the deadline', async () => {
  const pool = product.database().getPool()
  const client = await pool.connect()
  const cursor = client.query(new Cursor('select generate_series(1, 3) as n'))
  await inInvocation(1500, async () => {
    const other = client.query(new Cursor('select 1 as behind_it'))
    await cursor.read(1)
    expect(await rejection(other.read(1))).toMatchObject({ code: 'ERR_DEADLINE' })
  })
  expect(await rejection(cursor.read(1))).toMatchObject({ code: 'ERR_DEADLINE' })
  client.release()
})

/** Statements in such a handler have the deadline of the invocation that sent this one: that of another is over. */
describe('comes in the invocation that sent it, not in the one that opened the connection:', () => {
  const HANDLED: Readonly<Record<string, (client: CheckedOutClient, tell: () => void) => unknown>> = {
    'data of a query stream': (client, tell) => client.query(new QueryStream('select 1')).on('data', tell),
    'the callback of a cursor': (client, tell) => client.query(new Cursor('select 1')).read(1, tell),
    'a row of a prebuilt query': (client, tell) => client.query(new pg.Query('select 1')).on('row', tell),
    'the end of a prebuilt query': (client, tell) => client.query(new pg.Query('select 1')).on('end', tell),
    'the error of a prebuilt query': (client, tell) => client.query(new pg.Query('select x')).on('error', tell),
  }

  test.each(Object.entries(HANDLED))('%s', async (_name, use) => {
    const database = product.database()
    await inInvocation(10_000, () => database.query('select 1'))
    await inInvocation(10_000, async () => {
      const client = await database.getClient()
      const found = await new Promise((resolve) => use(client, () => resolve(currentInvocation())))
      expect(found).toBe(currentInvocation())
      client.release()
    })
    await database.close()
  })
})
