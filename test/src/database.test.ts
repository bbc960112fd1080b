import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createDatabase } from '../../src/index.ts'
import { inInvocation } from '../support/invocation.ts'
import { openProduct, type Product, printed, rejection } from '../support/product.ts'
import { endSessions, sessionCount } from '../support/sessions.ts'

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

describe('query()', () => {
  test('returns pg’s result, with values bound', async () => {
    const { rows, rowCount, command } = await product
      .database()
      .query<{ sum: number }>('select $1::int + $2::int as sum', [20, 22])
    expect({ rows, rowCount, command }).toEqual({ rows: [{ sum: 42 }], rowCount: 1, command: 'SELECT' })
  })

  test('reaches the database behind the cluster identifier', async () => {
    const { rows } = await product.database().query('select current_database() as name, current_user as who')
    expect(rows).toEqual([{ name: product.cloud.database, who: product.cloud.user }])
  })

  test('uses one connection and one GetSecretValue for twenty statements in a row', async () => {
    const { query } = product.database()
    const pids = new Set<unknown>()
    for (let i = 0; i < 20; i += 1) pids.add((await query('select pg_backend_pid() as pid')).rows[0]?.pid)
    expect({
      pids: pids.size,
      logins: product.cloud.standIn.counts.logins,
      reads: product.secretsManager.requests.length,
    }).toEqual({ pids: 1, logins: 1, reads: 1 })
  })

  test('uses one connection and one GetSecretValue for ten first statements at once', async () => {
    const { query } = product.database()
    await Promise.all(Array.from({ length: 10 }, () => query('select 1')))
    expect({ logins: product.cloud.standIn.counts.logins, reads: product.secretsManager.requests.length }).toEqual({
      logins: 1,
      reads: 1,
    })
  })

  test('throws the server’s DatabaseError, and keeps the connection', async () => {
    const { query } = product.database()
    await expect(query('select * from nowhere')).rejects.toMatchObject({ code: '42P01', severity: 'ERROR' })
    await query('select 1')
    expect(product.cloud.standIn.counts.logins).toBe(1)
  })

  test('sends a statement again whose session the server ended, only when it is idempotent', async () => {
    const { query } = product.database()
    const first = (await query('select pg_backend_pid() as pid')).rows[0]?.pid
    const text = 'select pg_backend_pid() as pid, pg_terminate_backend(pg_backend_pid()) where pg_backend_pid() = $1'
    expect((await query(text, [first], { idempotent: true })).rows).toEqual([])
    await expect(query('select pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({ code: '57P01' })
  })

  test.each<[string, unknown, string]>([
    ['a misspelt option', { idempotnet: true }, 'unknown option "idempotnet"; did you mean "idempotent"?'],
    ['a value of another kind', { idempotent: 'yes' }, 'idempotent is a string; expected true or false'],
    ['a callback', () => {}, 'the options are a function; expected an object'],
  ])('refuses %s, and sends nothing', async (_kind, options, message) => {
    const database = product.database()
    await expect(Reflect.apply(database.query, undefined, ['select 1', [], options])).rejects.toMatchObject({
      code: 'ERR_CONFIG',
      message,
      hint: 'Correct the options of query().',
    })
    expect(product.cloud.standIn.counts.logins).toBe(0)
  })

  test('closes a connection that a statement left inside a transaction', async () => {
    const { query } = product.database()
    await query('begin')
    await query('select 1')
    expect(product.cloud.standIn.counts.logins).toBe(2)
  })

  test('reads the secret again after a read that failed', async () => {
    const { query } = product.database()
    product.secretsManager.failNext(1, 'AccessDeniedException')
    await expect(query('select 1')).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
    expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('uses the secret that came too late for the statement before', async () => {
    const { secretId, secretsManager } = product
    const database = product.database({ secretId })
    secretsManager.delayMs = 1000
    await rejection(inInvocation(800, () => database.query('select 1')))
    secretsManager.delayMs = 0
    await database.query('select 1')
    expect(secretsManager.requests.length).toBe(1)
  })
})

describe('getClient()', () => {
  test('returns the same client again after release()', async () => {
    const { getClient } = product.database()
    const first = await getClient()
    first.release()
    const second = await getClient()
    second.release()
    expect(second).toBe(first)
  })

  test('returns a client that `await using` gives back', async () => {
    const database = product.database()
    {
      await using client = await database.getClient()
      await client.query('select 1')
    }
    expect(database.getPool()).toMatchObject({ idleCount: 1, totalCount: 1 })
  })

  test('returns a client whose second release() throws', async () => {
    const client = await product.database().getClient()
    client.release()
    expect(() => client.release()).toThrow(/already been released/)
  })

  test('returns a client that throws ERR_CONNECTION_LOST after its session ended unheard', async () => {
    const { getClient } = product.database()
    const client = await getClient()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await endSessions(product)
    await ended
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', safeToRetry: true })
    client.release()
  })

  test('throws the place where an earlier invocation took a client that it kept, and works again after that', async () => {
    const database = product.database()
    await inInvocation(10_000, async () => {
      await database.getClient()
    })
    const error = await rejection(inInvocation(10_000, () => database.query('select 1')))
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringContaining('database.test.ts:'),
    })
    await database.query('select 1')
  })

  test('returns a client whose release() does nothing once it was taken away', async () => {
    const database = product.database()
    const kept = await inInvocation(10_000, () => database.getClient())
    await rejection(inInvocation(10_000, () => database.query('select 1')))
    await database.query('select 1')
    kept.release()
    await using client = await database.getClient()
    expect(client === kept).toBe(false)
  })

  test('keeps no statement waiting beyond the deadline when the same invocation holds the only client', async () => {
    const database = product.database()
    const client = await database.getClient()
    const error = await rejection(inInvocation(2000, () => database.query('select 1')))
    client.release()
    expect(error).toMatchObject({ code: 'ERR_CLIENT_NOT_RELEASED', hint: expect.stringContaining('release()') })
  })
})

describe('connectionString()', () => {
  test('returns the article’s form, with the path of the root certificate', async () => {
    const { cloud, secretsManager } = product
    const host = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
    secretsManager.secrets.create(
      'article',
      JSON.stringify({ host, username: 'app', password: 'p@ss/w#rd', dbname: 'defaultdb' }),
    )
    const text = await product.database({ secretId: 'article', sslrootcert: 'certs/root.crt' }).connectionString()
    expect(text).toBe(
      `postgresql://app:p%40ss%2Fw%23rd@${host}:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=certs/root.crt`,
    )
    expect(cloud.standIn.counts.tcp).toBe(0)
  })

  test("returns what pg accepts, when the root certificates are Node's own", async () => {
    const before = getCACertificates('default')
    setDefaultCACertificates([product.cloud.authority.certificate])
    try {
      const connectionString = await product.database({ sslrootcert: 'system' }).connectionString()
      const client = new Client({ connectionString })
      await client.connect()
      expect((await client.query('select current_user as who')).rows).toEqual([{ who: product.cloud.user }])
      await client.end()
    } finally {
      setDefaultCACertificates(before)
    }
  })

  test('returns what createDatabase() accepts as it is', async () => {
    const text = await product.database().connectionString()
    const { query } = createDatabase({ connectionString: text })
    expect((await query('select current_user as who')).rows).toEqual([{ who: product.cloud.user }])
  })
})

describe('createDatabase()', () => {
  test('keeps two databases apart', async () => {
    const { cloud, secretsManager, fields } = product
    secretsManager.secrets.create(
      'app/superuser',
      JSON.stringify({ ...fields, dbname: 'defaultdb', options: '-c application_name=second' }),
    )
    const [first, second] = [product.database(), product.database({ secretId: 'app/superuser' })]
    const name = 'select current_setting($1) as name'
    const [a, b] = await Promise.all([
      first.query(name, ['application_name']),
      second.query(name, ['application_name']),
    ])
    expect([a.rows[0]?.name, b.rows[0]?.name]).toEqual(['', 'second'])
    expect(cloud.standIn.counts.logins).toBe(2)
  })
})

describe('close()', () => {
  test('ends the sessions, and the next use opens a new pool', async () => {
    const database = product.database()
    await database.query('select 1')
    const before = await sessionCount(product)
    await database.close()
    await expect.poll(() => sessionCount(product)).toBe(before - 1)
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('refuses at once who waits for a client, and serves who has one', async () => {
    const database = product.database()
    const client = await database.getClient()
    const waiting = [rejection(database.query('select 1')), rejection(database.getClient())]
    await database.close()
    expect(await Promise.all(waiting)).toMatchObject([
      { code: 'ERR_CLOSED', safeToRetry: true },
      { code: 'ERR_CLOSED' },
    ])
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
  })

  test('serves who a connection is being opened for, and refuses who waits behind', async () => {
    const { standIn } = product.cloud
    standIn.delayMs = 20
    const database = product.database()
    const [first, second] = [database.query('select 1 as one'), rejection(database.query('select 2'))]
    await expect.poll(() => standIn.counts.tcp).toBe(1)
    const closed = database.close()
    expect(await second).toMatchObject({ code: 'ERR_CLOSED' })
    expect((await first).rows).toEqual([{ one: 1 }])
    await closed
    standIn.delayMs = 0
  })

  test('does not wait for its own caller, for whom a connection is being opened', async () => {
    const { standIn } = product.cloud
    standIn.resetCounts()
    standIn.delayMs = 20
    const database = product.database()
    const taken = database.getClient()
    await expect.poll(() => standIn.counts.tcp).toBe(1)
    await database.close()
    const client = await taken
    client.release()
    standIn.delayMs = 0
  })

  test('twice, before and beside other uses, leaves a database that works', async () => {
    const database = product.database()
    await Promise.all([database.close(), database.close()])
    await database.query('select 1')
    const closed = database.close()
    const between = rejection(database.query('select 1'))
    await Promise.all([closed, database.close()])
    expect(await between).toMatchObject({ code: 'ERR_CLOSED' })
    expect((await database.query('select 2 as two')).rows).toEqual([{ two: 2 }])
  })

  test('waits for a pool that pool.end() is ending', async () => {
    const database = product.database()
    const pool = database.getPool()
    await database.query('select 1')
    void pool.end()
    await database.close()
    expect([pool.ended, pool.totalCount]).toEqual([true, 0])
  })

  test('in every invocation sends a wrong password once, and so does a new database in each', async () => {
    const { secretsManager, fields, cloud } = product
    secretsManager.secrets.create('closes/wrong', JSON.stringify({ ...fields, password: 'wrong' }))
    const kept = product.database({ secretId: 'closes/wrong' })
    for (let invocation = 0; invocation < 5; invocation += 1) {
      for (const database of [kept, product.database({ secretId: 'closes/wrong' })]) {
        expect(await rejection(inInvocation(10_000, () => database.query('select 1')))).toMatchObject({
          code: 'ERR_AUTHENTICATION',
        })
        await database.close()
      }
    }
    expect(cloud.standIn.counts.logins).toBe(1)
  })
})

describe('a pool that the function ended', () => {
  test.each(['query', 'transaction', 'getClient', 'getPool', 'healthCheck'] as const)(
    'is replaced by %s()',
    async (use) => {
      const database = product.database()
      const ended = database.getPool()
      await database.query('select 1')
      await ended.end()
      const rows = {
        query: async () => (await database.query('select 1 as one')).rows,
        transaction: () => database.transaction(async (client) => (await client.query('select 1 as one')).rows),
        getClient: async () => {
          await using client = await database.getClient()
          return (await client.query('select 1 as one')).rows
        },
        getPool: async () => (await database.getPool().query('select 1 as one')).rows,
        healthCheck: async () => [{ one: (await database.healthCheck()).ok ? 1 : 0 }],
      }
      expect(await rows[use]()).toEqual([{ one: 1 }])
      expect(database.getPool() === ended).toBe(false)
    },
  )

  test('says where to get a new one to who kept it', async () => {
    const database = product.database()
    const ended = database.getPool()
    await ended.end()
    expect(await rejection(ended.query('select 1'))).toMatchObject({
      code: 'ERR_CLOSED',
      hint: expect.stringContaining('getPool()'),
    })
  })

  test('while a client is lent, is replaced too, and the client goes on', async () => {
    const database = product.database()
    const client = await database.getClient()
    const ended = database.getPool().end()
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await client.query('select 1')
    client.release()
    await ended
  })
})

describe('warmUp()', () => {
  test('opens no connection beside the one of a statement at the same time', async () => {
    const database = product.database({ max: 2 })
    await Promise.all([database.warmUp(), database.query('select 1')])
    expect(product.cloud.standIn.counts.logins).toBe(1)
    expect((await database.healthCheck()).connection?.uses).toBe(2)
  })

  test('opens no connection for a database that was closed while the secret was read', async () => {
    const database = product.database()
    const connecting = database.warmUp()
    await database.close()
    await connecting
    expect(product.secretsManager.requests).toHaveLength(1)
    expect(product.cloud.standIn.counts.tcp).toBe(0)
  })
})

describe('ready()', () => {
  test('waits for the connection that the first statement uses', async () => {
    const { ready, query } = product.database()
    await ready()
    expect(product.cloud.standIn.counts.authOk).toBe(1)
    await query('select 1')
    expect(product.cloud.standIn.counts.logins).toBe(1)
  })

  test('waits for the connection that withDatabase() has begun to open', async () => {
    const database = product.database()
    void database.warmUp()
    await database.ready()
    expect(product.cloud.standIn.counts).toMatchObject({ tcp: 1, authOk: 1 })
  })

  test('opens a connection again after close()', async () => {
    const database = product.database()
    await database.ready()
    await database.close()
    await database.ready()
    expect(product.cloud.standIn.counts.authOk).toBe(2)
  })

  test.each([
    ['a secret that does not exist', { secretId: 'absent' }, 'ERR_SECRET_UNAVAILABLE'],
    ['a password that is refused', { password: 'not-it' }, 'ERR_AUTHENTICATION'],
    ['a wrong option', { port: 0 }, 'ERR_CONFIG'],
  ])('leaves the error to the first statement, for %s', async (_, options, code) => {
    const { ready, query } = product.database(options)
    await expect(ready()).resolves.toBeUndefined()
    const error = await rejection(query('select 1'))
    expect(error).toMatchObject({ code })
    expect(printed(error)).not.toContain(product.cloud.password)
  })

  test.each([
    [0, 'a silent server'],
    [200, 'a silent server'],
  ])('waits for %d ms, as readyTimeoutMs says, for %s', async (readyTimeoutMs) => {
    const { standIn } = product.cloud
    standIn.refuse = 'silence'
    // Another login than those of the other tests, which would wait for the end of this one's turn.
    const { ready, close } = product.database({ readyTimeoutMs, user: 'patient' })
    const startedAt = performance.now()
    await ready()
    const ms = performance.now() - startedAt
    standIn.refuse = undefined
    await close()
    // An attempt that gets no answer takes 5 s.
    expect(ms).toBeGreaterThanOrEqual(readyTimeoutMs - 2)
    expect(ms).toBeLessThan(4000)
  })
})

describe('before a SnapStart snapshot', () => {
  beforeEach(() => {
    process.env.AWS_LAMBDA_INITIALIZATION_TYPE = 'snap-start'
  })
  afterEach(() => {
    for (const name of ['AWS_LAMBDA_INITIALIZATION_TYPE', '_X_AMZN_TRACE_ID']) Reflect.deleteProperty(process.env, name)
  })
  const uses = () => ({ reads: product.secretsManager.requests.length, logins: product.cloud.standIn.counts.logins })

  test('ready() and withDatabase() open no connection, and read no secret', async () => {
    const database = product.database()
    await Promise.all([database.ready(), database.warmUp()])
    expect({ ...uses(), tcp: product.cloud.standIn.counts.tcp }).toEqual({ reads: 0, logins: 0, tcp: 0 })
  })

  test('a statement is answered, and neither its connection nor its secret is kept', async () => {
    const { query, getPool } = product.database()
    const { rows } = await query('select pg_backend_pid() as pid')
    expect(getPool().totalCount).toBe(0)
    const { postgres, user } = product.cloud
    const pids = async () => (await postgres.sessions({ user })).map(({ pid }) => pid)
    await expect.poll(pids).not.toContain(rows[0]?.pid)
    await query('select 1')
    expect(uses()).toEqual({ reads: 2, logins: 2 })
  })

  test('a statement without a secret is answered, and its connection is not kept', async () => {
    const { host, port, username: user, password, dbname, sslrootcert } = product.fields
    const connectionString = `postgresql://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${dbname}`
    const { query, getPool, close } = createDatabase({ connectionString, sslrootcert: String(sslrootcert) })
    await query('select 1')
    expect(getPool().totalCount).toBe(0)
    await inInvocation(60_000, async () => {
      await query('select 1')
      expect(getPool().totalCount).toBe(1)
    })
    await close()
  })

  test.each([
    ['a handler of withDatabase()', (work: () => Promise<void>) => inInvocation(60_000, work)],
    [
      'any handler, since the runtime has set the trace id',
      (work: () => Promise<void>) => {
        process.env._X_AMZN_TRACE_ID = 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0'
        return work()
      },
    ],
  ])('comes init only: %s keeps both, and uses neither of those before', async (_, invoke) => {
    const { query } = product.database()
    await query('select 1')
    await invoke(async () => {
      await query('select 1')
      await query('select 1')
    })
    expect(uses()).toEqual({ reads: 2, logins: 2 })
  })
})

test('a password is in nothing that can be printed of database, pool, client and error', async () => {
  const database = product.database()
  const client = await database.getClient()
  await client.query('select 1')
  const texts = [
    printed(database),
    printed(database.getPool()),
    printed(client),
    printed(await rejection(client.query('select nothing'))),
  ]
  client.release()
  for (const text of texts) expect(text.includes(product.cloud.password)).toBe(false)
})
