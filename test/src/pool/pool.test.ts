import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, SYSTEM_CLOCK, steadyClock } from '../../../src/base/clock.ts'
import type { Dial } from '../../../src/connection/attempt.ts'
import { Login } from '../../../src/connection/login.ts'
import { OpenDatabase } from '../../../src/open-database.ts'
import { createPool } from '../../../src/pool/pool.ts'
import { inInvocation } from '../../support/invocation.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'
import { endSessions, sessionCount } from '../../support/sessions.ts'

const DAY_MS = 86_400_000
/** Where a client was taken, as a stack has it. */
const IN_THIS_FILE = /pool\.test\.ts:\d+:\d+\)?$/

/** The wall clock and the clock for ages, at this time. */
const clockAt = (now: () => number): Clock => ({ ...SYSTEM_CLOCK, now, steadyNow: now })

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
})

describe('a pool', () => {
  test('is a pg.Pool', () => {
    expect(product.database().getPool()).toBeInstanceOf(pg.Pool)
  })

  test('calls back from connect() and query(), as pg’s does', async () => {
    const pool = product.database().getPool()
    const client = await new Promise<string>((resolve, reject) => {
      pool.connect((error, taken, done) => {
        if (error || taken === undefined) return reject(error)
        taken.query('select $1::text as word', ['by callback'], (queryError, result) => {
          done()
          return queryError ? reject(queryError) : resolve(result.rows[0].word)
        })
      })
    })
    const query = await new Promise((resolve, reject) => {
      pool.query('select 2 as two', (error: Error | undefined, result) =>
        error ? reject(error) : resolve(result.rows),
      )
    })
    expect({ client, query, idle: pool.idleCount, waiting: pool.waitingCount }).toEqual({
      client: 'by callback',
      query: [{ two: 2 }],
      idle: 1,
      waiting: 0,
    })
  })

  test('emits connect, acquire, release, error and remove, as pg’s does', async () => {
    const database = product.database()
    const pool = database.getPool()
    const told: string[] = []
    for (const event of ['connect', 'acquire', 'release', 'remove', 'error'] as const) {
      pool.on(event, () => told.push(event))
    }
    const failures: unknown[] = []
    pool.on('error', (error, client) => failures.push([Reflect.get(error, 'client') === client, inspect(error)]))
    await database.query('select 1')
    await database.query('select 1')
    const client = await database.getClient()
    client.release()
    expect(told).toEqual(['connect', ...Array.from({ length: 3 }, () => ['acquire', 'release']).flat()])
    told.length = 0
    await endSessions(product)
    await expect.poll(() => told.includes('remove')).toBe(true)
    expect([told, pool.idleCount, pool.totalCount]).toEqual([['error', 'remove'], 0, 0])
    expect(failures).toEqual([[true, expect.not.stringContaining('DatabaseClient')]])
  })

  test.each([
    ['nothing', undefined],
    ['true', true],
    ['an error', new Error('made by the caller')],
  ])('emits release once, with what release() was passed: %s', async (_what, destroy) => {
    const pool = product.database().getPool()
    const told: unknown[] = []
    pool.on('release', (error) => told.push(error)).on('remove', () => told.push('removed'))
    const client = await pool.connect()
    client.release(destroy)
    await pool.end()
    expect(told).toEqual([destroy, 'removed'])
  })

  test('emits no acquire for a client that is only closed', async () => {
    let now = 0
    const pool = product
      .database(
        {},
        clockAt(() => now),
      )
      .getPool()
    let acquired = 0
    pool.on('acquire', () => {
      acquired += 1
    })
    await pool.query('select 1')
    now = DAY_MS
    await pool.query('select 1')
    await pool.end()
    expect(acquired).toBe(2)
  })

  test('closes idle connections at end(), which calls back too, and rejects a second end()', async () => {
    const promised = product.database().getPool()
    await promised.query('select 1')
    await promised.end()
    const told = product.database().getPool()
    await told.query('select 1')
    await new Promise<void>((resolve) => told.end(resolve))
    expect([promised.totalCount, told.totalCount, await sessionCount(product)]).toEqual([0, 0, 0])
    await expect(promised.end()).rejects.toThrow('Called end on pool more than once')
    await expect(told.query('select 1')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('gives up on a server that no longer answers, and is closed', async () => {
    const database = product.database()
    await database.query('select 1')
    product.cloud.standIn.blackHoleAll()
    await database.close()
    expect(database.getPool().totalCount).toBe(0)
  })

  test('does not lend a client again whose statement ended after the deadline, before it was cancelled', async () => {
    const database = product.database()
    const pid = async (): Promise<unknown> => (await database.query('select pg_backend_pid() as pid')).rows[0]?.pid
    const first = await pid()
    const holder = new pg.Client(product.cloud.clientConfig())
    await holder.connect()
    await holder.query('select pg_advisory_lock(81)')
    // The request to cancel has no answer, so that the statement ends by itself.
    const unlock = (): void => {
      product.cloud.standIn.refuse = 'silence'
      void holder.query('select pg_advisory_unlock(81)')
    }
    subscribe('cockroach-lambda:deadline', unlock)
    const late = await inInvocation(
      1500,
      async () => (await database.query('select pg_advisory_xact_lock(81)')).rowCount,
    )
    unsubscribe('cockroach-lambda:deadline', unlock)
    product.cloud.standIn.refuse = undefined
    expect(late).toBe(1)
    expect(await pid()).not.toBe(first)
    await holder.end()
  })

  test('leads where the secret does, whatever other code writes into its options', async () => {
    const pool = product.database().getPool()
    const elsewhere = { host: '127.0.0.2', port: 1, user: 'other', password: 'other', ssl: false, database: 'other' }
    Object.assign(pool.options, elsewhere, { connectionString: 'postgresql://other:other@127.0.0.2:1/other' })
    const client = await pool.connect()
    expect([client.host, client.port, client.user]).toEqual([
      product.cloud.host,
      product.cloud.standIn.port,
      product.cloud.user,
    ])
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
  })

  test.each(['connect', 'acquire', 'release'] as const)(
    'has its place back when a listener for %s throws',
    async (event) => {
      const pool = product.database().getPool()
      const mistake = new Error('made by the listener')
      pool.once(event, () => {
        throw mistake
      })
      // Vitest's own would fail the run.
      const listeners = process.listeners('uncaughtException')
      process.removeAllListeners('uncaughtException')
      const uncaught = new Promise((resolve) => process.once('uncaughtException', resolve))
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect(await uncaught).toBe(mistake)
      for (const listener of listeners) process.on('uncaughtException', listener)
      expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
      expect([pool.totalCount, pool.idleCount]).toEqual([1, 1])
      await pool.end()
    },
  )

  test('opens three connections for twelve statements at once with max: 3', async () => {
    const database = product.database({ max: 3 })
    await Promise.all(Array.from({ length: 12 }, () => database.query('select pg_sleep(0.02)')))
    expect(product.cloud.standIn.counts.tcp).toBe(3)
  })
})

describe('an idle client', () => {
  test('is not lent after 400 s, though another one came back just now', async () => {
    let now = Date.now()
    const database = product.database(
      { max: 2 },
      clockAt(() => now),
    )
    const [stale, broken] = await Promise.all([database.getClient(), database.getClient()])
    stale.release()
    now += 400_000
    broken.release(true)
    await database.query('select 1')
    expect(stale.uses).toBe(1)
  })

  test('is not lent past its lifetime, though it came back just now', async () => {
    let now = Date.now()
    const database = product.database(
      {},
      clockAt(() => now),
    )
    const client = await database.getClient()
    now += 40 * 60_000
    client.release()
    await database.query('select 1')
    expect(client.uses).toBe(1)
  })
})

describe.each([
  ['set back', -DAY_MS],
  ['set forward', DAY_MS],
])('after the clock was %s by a day', (_, changeMs) => {
  /** A wall clock that can be set, beside a monotonic one. */
  function settableClock() {
    let offsetMs = 0
    const now = () => Date.now() + offsetMs
    let monotonicMs = 0
    const monotonicNow = () => SYSTEM_CLOCK.monotonicNow() + monotonicMs
    const clock: Clock = { ...SYSTEM_CLOCK, now, monotonicNow, steadyNow: steadyClock(now, monotonicNow) }
    const set = (ms: number) => {
      offsetMs += ms
    }
    const pass = (ms: number) => {
      monotonicMs += ms
      offsetMs += ms
    }
    return { clock, set, pass }
  }

  test('an idle client is replaced 400 s later', async () => {
    const { clock, set, pass } = settableClock()
    const database = product.database({}, clock)
    const client = await database.getClient()
    set(changeMs)
    client.release()
    pass(400_000)
    await database.query('select 1')
    expect(client.uses).toBe(1)
  })

  test('a client past its lifetime is replaced, though it came back just now', async () => {
    const { clock, set, pass } = settableClock()
    const database = product.database({}, clock)
    const client = await database.getClient()
    set(changeMs)
    pass(40 * 60_000)
    client.release()
    await database.query('select 1')
    expect(client.uses).toBe(1)
  })

  test('a corrected secret is read when its time to live is over', async () => {
    const { secretsManager, fields } = product
    const secretId = `clock/${changeMs}`
    secretsManager.secrets.create(secretId, JSON.stringify({ ...fields, application_name: 'before' }))
    const { clock, set, pass } = settableClock()
    const database = product.database({ secretId, secretTtlSeconds: 60 }, clock)
    const name = async () => {
      const client = await database.getClient()
      const { rows } = await client.query('show application_name')
      client.release(true)
      return rows[0]?.application_name
    }
    expect(await name()).toBe('before')
    secretsManager.secrets.put(secretId, JSON.stringify({ ...fields, application_name: 'after' }))
    set(changeMs)
    pass(61_000)
    expect(await name()).toBe('after')
  })

  test('a refused password is tried again when its block is over, not before', async () => {
    const { secretsManager, fields, cloud } = product
    const secretId = `clock/wrong${changeMs}`
    secretsManager.secrets.create(secretId, JSON.stringify({ ...fields, password: `wrong${changeMs}` }))
    const { clock, set, pass } = settableClock()
    const database = product.database({ secretId }, clock)
    const attempts = async () => {
      cloud.standIn.resetCounts()
      await rejection(database.query('select 1'))
      return cloud.standIn.counts.logins
    }
    expect(await attempts()).toBe(1)
    set(Math.min(0, changeMs))
    pass(30_000)
    expect(await attempts()).toBe(0)
    pass(31_000)
    expect(await attempts()).toBe(1)
  })
})

describe('a caller who waits for a client', () => {
  test('is served in the order of asking', async () => {
    const pool = product.database().getPool()
    const held = await pool.connect()
    const order: number[] = []
    const statements = [1, 2, 3].map((number) => pool.query('select 1').then(() => order.push(number)))
    expect(pool.waitingCount).toBe(3)
    held.release()
    await Promise.all(statements)
    expect([order, pool.waitingCount]).toEqual([[1, 2, 3], 0])
  })

  test('waits longer than connecting may take, behind statements that make progress', async () => {
    const database = product.database()
    const statements = Array.from({ length: 4 }, () => database.query('select pg_sleep(2)'))
    const settled = await inInvocation(60_000, () => Promise.allSettled([...statements, database.query('select 1')]))
    expect(settled.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'fulfilled'))
  })

  test('waits behind an answer that goes on arriving, outside an invocation', async () => {
    const { secretsManager, fields } = product
    secretsManager.secrets.create('pool/impatient', JSON.stringify({ ...fields, connect_timeout: 1 }))
    const database = product.database({ secretId: 'pool/impatient' })
    await database.query('select 1')
    const long = database.query("select repeat('x', 10000), pg_sleep(0.3) from generate_series(1, 10)")
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await long
  })

  test('is told after connect_timeout without progress that all are busy, outside an invocation', async () => {
    const database = product.database({ secretId: 'pool/impatient' })
    await database.query('select 1')
    const running = rejection(database.query('select pg_sleep(60)'))
    const error = await rejection(database.query('select 1'))
    await endSessions(product)
    await running
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^waited [1-9]\d{3,} ms for a client; all 1 are busy with statements$/),
    })
  })

  test('is told where the client was taken: ERR_CLIENT_NOT_RELEASED', async () => {
    const pool = product.database().getPool()
    const held = await pool.connect()
    const error = await rejection(inInvocation(400, () => pool.connect()))
    held.release()
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^waited \d+ ms for a client; all 1 are in use, one since /),
      safeToRetry: true,
    })
    expect(error.message).toMatch(IN_THIS_FILE)
  })

  test('is told that statements run on all clients until the deadline: ERR_DEADLINE', async () => {
    const pool = product.database().getPool()
    await pool.query('select 1')
    const running = rejection(pool.query('select pg_sleep(60)'))
    const error = await rejection(inInvocation(400, () => pool.query('select 1')))
    await endSessions(product)
    await running
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', message: expect.stringContaining('under way on all 1') })
  })

  test('is told that the connection is still being opened: ERR_CONNECT', async () => {
    const pool = product.database().getPool()
    product.secretsManager.delayMs = 2000
    const opening = pool.query('select 1')
    const error = await rejection(inInvocation(400, () => pool.query('select 1')))
    product.secretsManager.delayMs = 0
    await opening
    expect(error).toMatchObject({ code: 'ERR_CONNECT', message: expect.stringContaining('still being opened') })
  })

  test('gets one place for a client that is released twice', async () => {
    const pool = product.database({ max: 2 }).getPool()
    const [first, second] = await Promise.all([pool.connect(), pool.connect()])
    const waiting = [pool.connect(), pool.connect()]
    first.release()
    expect(() => first.release()).toThrow('already been released')
    const third = await waiting[0]
    expect(pool.waitingCount).toBe(1)
    second.release()
    third?.release()
    await waiting[1]?.then((client) => client.release())
  })

  test('is told that the pool was closed meanwhile: ERR_CLOSED', async () => {
    const pool = product.database().getPool()
    const held = await pool.connect()
    const waiting = rejection(pool.query('select 1'))
    const ended = pool.end()
    held.release()
    await ended
    expect(await waiting).toMatchObject({ code: 'ERR_CLOSED' })
    expect([pool.ending, pool.ended, pool.totalCount, product.cloud.standIn.counts.logins]).toEqual([true, true, 0, 1])
  })
})

describe('a client that an earlier invocation never gave back', () => {
  test('is taken away, and who asks is told where it was taken', async () => {
    const pool = product.database().getPool()
    const forgotten = await inInvocation(10_000, () => pool.connect())
    const error = await rejection(inInvocation(10_000, () => pool.connect()))
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^an earlier invocation took a client and never released it; it was taken at /),
      safeToRetry: true,
    })
    expect(error.message).toMatch(IN_THIS_FILE)
    expect(pool.totalCount).toBe(0)
    await expect(forgotten.query('select 1')).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST' })
    await pool.query('select 1')
  })

  test('is taken away from an invocation that ends while another one waits', async () => {
    const pool = product.database().getPool()
    const end = Promise.withResolvers<void>()
    const forgetful = inInvocation(60_000, async () => {
      await pool.connect()
      await end.promise
    })
    await expect.poll(() => pool.totalCount).toBe(1)
    const error = rejection(inInvocation(50_000, () => pool.connect()))
    await expect.poll(() => pool.waitingCount).toBe(1)
    end.resolve()
    await forgetful
    const startedAt = performance.now()
    expect((await error).message).toMatch(/^an earlier invocation took a client and never released it/)
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  test('frees no second place when it is given back late after all', async () => {
    const pool = product.database().getPool()
    const forgotten = await inInvocation(10_000, () => pool.connect())
    await rejection(pool.connect())
    const held = await pool.connect()
    const waiting = pool.connect()
    forgotten.release()
    expect(pool.waitingCount).toBe(1)
    held.release()
    const next = await waiting
    next.release()
    expect(next).toBe(held)
  })

  test('is left alone while its invocation still runs', async () => {
    const pool = product.database().getPool()
    await inInvocation(10_000, async () => {
      const held = await pool.connect()
      expect((await rejection(inInvocation(200, () => pool.connect()))).message).toMatch(/^waited/)
      expect((await held.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      held.release()
    })
  })

  test('is left alone when it was taken outside an invocation', async () => {
    const pool = product.database().getPool()
    const held = await pool.connect()
    expect((await rejection(inInvocation(200, () => pool.connect()))).message).toMatch(/^waited/)
    expect((await held.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    held.release()
  })

  test('is left alone while another place is free', async () => {
    const pool = product.database({ max: 2 }).getPool()
    const forgotten = await inInvocation(10_000, () => pool.connect())
    await inInvocation(10_000, () => pool.query('select 1'))
    expect((await forgotten.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    forgotten.release()
  })
})

describe('a connection that is being opened', () => {
  /** Hands a connection over only when told to. */
  class LateLogin extends Login {
    readonly arrival = Promise.withResolvers<void>()

    override async open<Client>(dial: Dial<Client>): Promise<Client> {
      const client = await super.open(dial)
      await this.arrival.promise
      return client
    }
  }

  test('is kept for the next caller when its own has given up, and no second one is opened', async () => {
    const { source, diagnostics } = new OpenDatabase({ secretId: product.secretId }, SYSTEM_CLOCK)
    const login = new LateLogin(source, SYSTEM_CLOCK)
    const pool = createPool(
      { pg: undefined, functionModule: undefined },
      login,
      { max: 1, options: {} },
      diagnostics,
      SYSTEM_CLOCK,
    )
    const error = await rejection(inInvocation(2000, () => pool.query('select 1')))
    const next = pool.query('select 1 as one')
    expect([error.code, pool.totalCount, pool.waitingCount]).toEqual(['ERR_DEADLINE', 1, 1])
    login.arrival.resolve()
    expect((await next).rows).toEqual([{ one: 1 }])
    expect([pool.idleCount, product.cloud.standIn.counts.tcp]).toEqual([1, 1])
    await pool.end()
  })

  test('is counted, and no more once the server has refused it', async () => {
    const { cloud, secretsManager, fields } = product
    secretsManager.secrets.create('pool/wrong', JSON.stringify({ ...fields, password: 'wrong' }))
    const pool = product.database({ secretId: 'pool/wrong' }).getPool()
    const counted = new Set<number>()
    cloud.standIn.onClientMessage = () => {
      counted.add(pool.totalCount)
      return 'forward'
    }
    const error = await rejection(pool.connect())
    cloud.standIn.onClientMessage = undefined
    expect([error.code, [...counted], pool.totalCount]).toEqual(['ERR_AUTHENTICATION', [1], 0])
  })

  test('costs no place when Node refuses the address at once, and close() returns', async () => {
    const { source, diagnostics } = new OpenDatabase({ secretId: product.secretId }, SYSTEM_CLOCK)
    const connection = await source.current()
    const parameters = { ...connection.parameters, host: 'a\0b' }
    const login = new (class extends Login {
      override open<Client>(dial: Dial<Client>): Promise<Client> {
        const elsewhere = { ...connection, parameters }
        return dial(elsewhere, async () => elsewhere, new AbortController().signal)
      }
    })(source, SYSTEM_CLOCK)
    const pool = createPool(
      { pg: undefined, functionModule: undefined },
      login,
      { max: 1, options: {} },
      diagnostics,
      SYSTEM_CLOCK,
    )
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(await rejection(pool.connect())).toMatchObject({ code: 'ERR_CONNECT' })
    expect([pool.totalCount, pool.waitingCount]).toEqual([0, 0])
    await pool.end()
  })

  test('is an error for the callback of connect(), with a `done` that does nothing', async () => {
    const pool = product.database({ secretId: 'absent' }).getPool()
    const outcome = await new Promise((resolve) => {
      pool.connect((error, client, done) => resolve({ error, client, done: done() }))
    })
    expect(outcome).toEqual({
      error: expect.objectContaining({ code: 'ERR_SECRET_UNAVAILABLE' }),
      client: undefined,
      done: undefined,
    })
  })
})
