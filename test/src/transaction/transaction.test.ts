import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { TransactionClient } from '../../../src/index.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

let product: Product
let database: ReturnType<Product['database']>

beforeAll(async () => {
  product = await openProduct()
  database = product.database({ max: 4 })
  await database.query('create table account (id int primary key, balance int not null check (balance >= 0))')
  await database.query('create table entry (id int primary key)')
  await database.query('create table late (id int unique deferrable initially deferred)')
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(async () => {
  product.cloud.standIn.onClientMessage = undefined
  product.cloud.standIn.onServerMessage = undefined
  await database.query('truncate account, entry')
  await database.query('insert into account select id, 100 from generate_series(1, 10) id')
})

const balances = async () => (await database.query('select sum(balance)::int as sum from account')).rows[0]?.sum
const entries = async () => (await database.query('select count(*)::int as count from entry')).rows[0]?.count

/** Says which statement a Query or Parse message carries. */
const statementIn = (payload: Buffer) => payload.toString('latin1').replaceAll('\0', ' ')

test('commits what the work did and gives its result', async () => {
  const result = await database.transaction(async (client) => {
    await client.query('insert into entry values (1)')
    return 'done'
  })
  expect([result, await entries()]).toEqual(['done', 1])
})

test('rolls back what the work did when it throws, and throws the same', async () => {
  const reason = new Error('changed my mind')
  const error = await rejection(
    database.transaction(async (client) => {
      await client.query('insert into entry values (1)')
      throw reason
    }),
  )
  expect([error, await entries(), database.getPool().idleCount > 0]).toEqual([reason, 0, true])
})

test('opens it as the options say', async () => {
  const settings = await database.transaction(
    async (client) =>
      (
        await client.query(
          "select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as ro",
        )
      ).rows[0],
    { isolationLevel: 'serializable', readOnly: true },
  )
  expect(settings).toEqual({ level: 'serializable', ro: 'on' })
})

test('adds up under contention: 8 writers, 10 accounts, serializable', async () => {
  let runs = 0
  const transfer = (from: number, to: number) =>
    database.transaction(
      async (client) => {
        runs += 1
        const { rows } = await client.query('select id, balance from account where id = any($1)', [[from, to]])
        const balance = (id: number): number => rows.find((row) => row.id === id)?.balance
        await client.query('update account set balance = $2 where id = $1', [from, balance(from) - 1])
        await client.query('update account set balance = $2 where id = $1', [to, balance(to) + 1])
        await client.query('insert into entry select coalesce(max(id), 0) + 1 from entry')
      },
      { isolationLevel: 'serializable', maxAttempts: 1000 },
    )
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (let turn = 0; turn < 5; turn += 1) await transfer(1 + ((writer + turn) % 10), 1 + ((writer + turn + 3) % 10))
  })
  await Promise.all(writers)
  expect({ sum: await balances(), entries: await entries(), hadConflicts: runs > 40 }).toEqual({
    sum: 1000,
    entries: 40,
    hadConflicts: true,
  })
})

test('runs the whole unit again when the connection was lost before COMMIT was sent', async () => {
  let isFirst = true
  product.cloud.standIn.onClientMessage = (_connection, _type, payload) => {
    if (!isFirst || !statementIn(payload).includes('second step')) return 'forward'
    isFirst = false
    return 'kill'
  }
  await database.transaction(async (client) => {
    await client.query('insert into entry values (1)')
    await client.query('insert into entry values (2) /* second step */')
  })
  expect([isFirst, await entries()]).toEqual([false, 2])
})

test('reports a lost answer to COMMIT as ambiguous and does not repeat it', async () => {
  let runs = 0
  let isCommitting = false
  product.cloud.standIn.onClientMessage = (_connection, _type, payload) => {
    isCommitting ||= statementIn(payload).startsWith('COMMIT')
    return 'forward'
  }
  product.cloud.standIn.onServerMessage = () => (isCommitting ? 'kill' : 'forward')
  const error = await rejection(
    database.transaction(async (client) => {
      runs += 1
      await client.query('insert into entry values (1)')
    }),
  )
  product.cloud.standIn.onServerMessage = undefined
  expect(error).toMatchObject({ code: 'ERR_COMMIT_AMBIGUOUS', safeToRetry: false })
  expect([runs, await entries()]).toEqual([1, 1])
})

test('tells that the server rolled back, with the error that the work swallowed', async () => {
  const error = await rejection(
    database.transaction(async (client) => {
      await client.query('insert into entry values (1)')
      await client.query('insert into entry values (1)').catch(() => undefined)
    }),
  )
  expect(error).toMatchObject({ code: 'ERR_TRANSACTION', cause: { code: '23505' } })
  expect(await entries()).toBe(0)
})

test('passes on what the server refuses at COMMIT', async () => {
  const error = await rejection(database.transaction((client) => client.query('insert into late values (1), (1)')))
  expect(error).toMatchObject({ code: '23505' })
})

describe('misuse', () => {
  test('a transaction inside a transaction', async () => {
    const error = await rejection(database.transaction(() => database.transaction(async () => undefined)))
    expect(error).toMatchObject({ code: 'ERR_TRANSACTION', message: expect.stringContaining('inside transaction()') })
  })

  test('a transaction of another database inside is none', async () => {
    const other = product.database()
    await database.transaction(() => other.transaction((client) => client.query('insert into entry values (7)')))
    expect(await entries()).toBe(1)
  })

  test('the client after the end', async () => {
    let kept: TransactionClient | undefined
    await database.transaction(async (client) => {
      kept = client
    })
    expect(() => kept?.query('select 1')).toThrow(
      expect.objectContaining({
        code: 'ERR_TRANSACTION',
        message: expect.stringContaining('after its transaction had ended'),
      }),
    )
  })

  test('a statement of code that goes on after the transaction was rolled back, with a query() taken before', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    let late: Promise<unknown> | undefined
    await rejection(
      database.transaction(async (client) => {
        const { query } = client
        late = rejection(ended.then(() => query('insert into entry values (8)')))
        await client.query('select 1 / 0')
      }),
    )
    end()
    expect([await late, await entries()]).toMatchObject([{ code: 'ERR_TRANSACTION' }, 0])
  })

  test('ROLLBACK inside, after a statement failed and its error was caught', async () => {
    const error = await rejection(
      database.transaction(async (client) => {
        await client.query('insert into entry values (1)')
        await rejection(client.query('select 1 / 0'))
        await client.query('rollback')
      }),
    )
    expect(error).toMatchObject({
      code: 'ERR_TRANSACTION',
      message: 'the transaction was ended inside transaction()',
    })
  })

  test('a later transaction of code that outlives the work is not one inside another', async () => {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    let late: Promise<unknown> | undefined
    await database.transaction(async () => {
      late = ended.then(() => database.transaction((client) => client.query('insert into entry values (9)')))
    })
    end()
    await late
    expect(await entries()).toBe(1)
  })

  test('release() inside', async () => {
    const error = await rejection(database.transaction(async (client) => Reflect.get(client, 'release')))
    expect(error).toMatchObject({ code: 'ERR_TRANSACTION', message: expect.stringContaining('release()') })
  })

  test('COMMIT inside', async () => {
    const error = await rejection(database.transaction((client) => client.query('commit')))
    expect(error).toMatchObject({ code: 'ERR_TRANSACTION', message: expect.stringContaining('ended inside') })
  })

  test.each([
    [{ maxAttempt: 3 }, 'did you mean "maxAttempts"?'],
    [{ maxAttempts: 0 }, 'maxAttempts is 0'],
    [{ isolationLevel: 'snapshot' }, 'isolationLevel is "snapshot"'],
  ])('options %j', async (options, message) => {
    const error = await rejection(database.transaction(async () => undefined, options as object))
    expect(error).toMatchObject({ code: 'ERR_CONFIG', message: expect.stringContaining(message) })
  })
})

test('stops after maxAttempts with the server’s own error', async () => {
  let runs = 0
  const error = await rejection(
    database.transaction(
      async (client) => {
        runs += 1
        await client.query("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
      },
      { maxAttempts: 3 },
    ),
  )
  expect([error.code, runs]).toEqual(['40001', 3])
})

describe('runs once', () => {
  test.each<[string, (client: TransactionClient) => Promise<unknown>, string]>([
    [
      'when the work throws an error of its own',
      () => Promise.reject(Object.assign(new Error('no'), { code: 'OWN' })),
      'OWN',
    ],
    ['when the server refuses a statement for good', (client) => client.query('select * from nowhere'), '42P01'],
    ['when the server refuses at COMMIT', (client) => client.query('insert into late values (7), (7)'), '23505'],
  ])('%s', async (_name, work, code) => {
    let runs = 0
    const error = await rejection(
      database.transaction((client) => {
        runs += 1
        return work(client)
      }),
    )
    expect([error.code, runs]).toEqual([code, 1])
  })
})

test('runs again when the server ended the session under the work', async () => {
  let runs = 0
  await database.transaction(async (client) => {
    runs += 1
    await client.query('insert into entry values (1)')
    if (runs === 1) await client.query('select pg_terminate_backend(pg_backend_pid())')
  })
  expect([runs, await entries()]).toEqual([2, 1])
})

test('destroys a client whose ROLLBACK fails', async () => {
  product.cloud.standIn.onClientMessage = (_connection, _type, payload) =>
    statementIn(payload).startsWith('ROLLBACK') ? 'kill' : 'forward'
  const reason = new Error('stop')
  const before = product.cloud.standIn.connections.length
  const error = await rejection(
    database.transaction(async (client) => {
      await client.query('insert into entry values (1)')
      throw reason
    }),
  )
  expect([error, product.cloud.standIn.connections.length, await entries()]).toEqual([reason, before - 1, 0])
})

describe('a call inside transaction() that would wait for its own transaction is refused at once', () => {
  const CALLS: Readonly<Record<string, (own: typeof database) => Promise<unknown>>> = {
    'query()': ({ query }) => query('select 1'),
    'getClient()': ({ getClient }) => getClient(),
    'pool.connect()': ({ getPool }) => getPool().connect(),
  }

  test.each(Object.entries(CALLS))('%s with max: 1', async (call, use) => {
    const own = product.database({ max: 1 })
    const startedAt = performance.now()
    const error = await rejection(own.transaction(() => use(own)))
    expect(error).toMatchObject({ code: 'ERR_TRANSACTION', safeToRetry: false })
    expect(error.message).toContain(`${call} was called inside transaction()`)
    expect(error.stack).toContain('transaction.test.ts')
    expect(performance.now() - startedAt).toBeLessThan(4000)
    expect((await own.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('of two transactions that hold both clients and want a third, one; the other goes on', async () => {
    const own = product.database({ max: 2 })
    const held = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const unit = (at: number) =>
      own.transaction(async (client) => {
        await client.query('select 1')
        held[at]?.resolve()
        await Promise.all(held.map(({ promise }) => promise))
        return (await own.query('select 1 as one')).rows
      })
    const settled = await Promise.allSettled([unit(0), unit(1)])
    const refused = settled.find(({ status }) => status === 'rejected')
    expect(settled.find(({ status }) => status === 'fulfilled')).toMatchObject({ value: [{ one: 1 }] })
    expect(refused).toMatchObject({ reason: { code: 'ERR_TRANSACTION' } })
  })
})

describe('a call inside transaction() waits', () => {
  test('for a client that another branch gives back', async () => {
    const own = product.database({ max: 2 })
    const rows = await own.transaction(async () => {
      const other = await own.getClient()
      const waiting = own.query('select 1 as one')
      await expect.poll(() => own.getPool().waitingCount).toBe(1)
      other.release()
      return (await waiting).rows
    })
    expect(rows).toEqual([{ one: 1 }])
  })

  test('for a transaction that does not wait', async () => {
    const own = product.database({ max: 2 })
    const end = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const other = own.transaction(() => {
      begun.resolve()
      return end.promise
    })
    await begun.promise
    const rows = await own.transaction(async () => {
      const waiting = own.query('select 1 as one')
      await expect.poll(() => own.getPool().waitingCount).toBe(1)
      end.resolve()
      return (await waiting).rows
    })
    await other
    expect(rows).toEqual([{ one: 1 }])
  })

  test('for no client of another database', async () => {
    const [own, other] = [product.database({ max: 1 }), product.database({ max: 1 })]
    const result = await own.transaction(async () => (await other.query('select 1 as one')).rows)
    expect(result).toEqual([{ one: 1 }])
  })

  test('for nothing once its transaction has ended', async () => {
    const own = product.database({ max: 1 })
    const late = Promise.withResolvers<void>()
    const { statement } = await own.transaction(async () => ({
      statement: late.promise.then(() => own.query('select 1')),
    }))
    const held = await own.getClient()
    late.resolve()
    await expect.poll(() => own.getPool().waitingCount).toBe(1)
    held.release()
    expect((await statement).rowCount).toBe(1)
  })
})
