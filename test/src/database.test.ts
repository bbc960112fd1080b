import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { SYSTEM_CLOCK } from '../../src/base/clock.ts'
import { createDatabase, withDatabase } from '../../src/index.ts'
import { inInvocation } from '../support/invocation.ts'
import { openProduct, type Product, printed, rejection } from '../support/product.ts'

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

async function sessions(): Promise<number> {
  return (await product.cloud.postgres.sessions({ user: product.cloud.user })).length
}

async function endSessions(): Promise<void> {
  const { user, postgres } = product.cloud
  await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [user])
}

describe('query', () => {
  test('gives pg’s result, with values bound', async () => {
    const { rows, rowCount, command } = await product
      .database()
      .query<{ sum: number }>('select $1::int + $2::int as sum', [20, 22])
    expect({ rows, rowCount, command }).toEqual({ rows: [{ sum: 42 }], rowCount: 1, command: 'SELECT' })
  })

  test('reaches the database behind the cluster identifier', async () => {
    const { rows } = await product.database().query('select current_database() as name, current_user as who')
    expect(rows).toEqual([{ name: product.cloud.database, who: product.cloud.user }])
  })

  test('uses one connection and one GetSecretValue for many statements', async () => {
    const { query } = product.database()
    const pids = new Set<unknown>()
    for (let i = 0; i < 20; i += 1) pids.add((await query('select pg_backend_pid() as pid')).rows[0]?.pid)
    expect({
      pids: pids.size,
      logins: product.cloud.standIn.counts.logins,
      reads: product.secretsManager.requests.length,
    }).toEqual({ pids: 1, logins: 1, reads: 1 })
  })

  test('shares one connection and one GetSecretValue between first calls made at once', async () => {
    const { query } = product.database()
    await Promise.all(Array.from({ length: 10 }, () => query('select 1')))
    expect({ logins: product.cloud.standIn.counts.logins, reads: product.secretsManager.requests.length }).toEqual({
      logins: 1,
      reads: 1,
    })
  })

  test('passes the server’s error on as DatabaseError and keeps the connection', async () => {
    const { query } = product.database()
    await expect(query('select * from nowhere')).rejects.toMatchObject({ code: '42P01', severity: 'ERROR' })
    await query('select 1')
    expect(product.cloud.standIn.counts.logins).toBe(1)
  })

  test('sends a statement again when the server ended the session under it, if it is idempotent', async () => {
    const { query } = product.database()
    const first = (await query('select pg_backend_pid() as pid')).rows[0]?.pid
    const text = 'select pg_backend_pid() as pid, pg_terminate_backend(pg_backend_pid()) where pg_backend_pid() = $1'
    expect((await query(text, [first], { idempotent: true })).rows).toEqual([])
    await expect(query('select pg_terminate_backend(pg_backend_pid())')).rejects.toMatchObject({ code: '57P01' })
  })

  test('does not keep a connection that a statement left inside a transaction', async () => {
    const { query } = product.database()
    await query('begin')
    await query('select 1')
    expect(product.cloud.standIn.counts.logins).toBe(2)
  })

  test('opens the next connection after a failed first one, since failures are not cached', async () => {
    const { query } = product.database()
    product.secretsManager.failNext(1, 'AccessDeniedException')
    await expect(query('select 1')).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
    expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

describe('getClient', () => {
  test('gives the same client again after release()', async () => {
    const { getClient } = product.database()
    const first = await getClient()
    first.release()
    const second = await getClient()
    second.release()
    expect(second).toBe(first)
  })

  test('gives it back at the end of `await using`', async () => {
    const database = product.database()
    {
      await using client = await database.getClient()
      await client.query('select 1')
    }
    expect(database.getPool()).toMatchObject({ idleCount: 1, totalCount: 1 })
  })

  test('refuses a second release()', async () => {
    const client = await product.database().getClient()
    client.release()
    expect(() => client.release()).toThrow(/already been released/)
  })

  test('survives the death of a connection that nobody is waiting for', async () => {
    const { getClient } = product.database()
    const client = await getClient()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await endSessions()
    await ended
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'ERR_CONNECTION_LOST', safeToRetry: true })
    client.release()
  })

  test('names the place of a client that an earlier invocation kept, then works again', async () => {
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

  test('takes a late release() of a client that was taken back as done', async () => {
    const database = product.database()
    const kept = await inInvocation(10_000, () => database.getClient())
    await rejection(inInvocation(10_000, () => database.query('select 1')))
    await database.query('select 1')
    kept.release()
    await using client = await database.getClient()
    expect(client === kept).toBe(false)
  })

  test('does not hang when this invocation holds the only client', async () => {
    const database = product.database()
    const client = await database.getClient()
    const error = await rejection(inInvocation(2000, () => database.query('select 1')))
    client.release()
    expect(error).toMatchObject({ code: 'ERR_CLIENT_NOT_RELEASED', hint: expect.stringContaining('release()') })
  })
})

describe('getPool', () => {
  test('is a pg.Pool, with callbacks as there', async () => {
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

  test('tells its listeners of clients as pg’s does', async () => {
    const database = product.database()
    const pool = database.getPool()
    const told: string[] = []
    for (const event of ['connect', 'acquire', 'release', 'remove', 'error'] as const) {
      pool.on(event, () => told.push(event))
    }
    await database.query('select 1')
    await database.query('select 1')
    const client = await database.getClient()
    client.release()
    expect(told).toEqual(['connect', ...Array.from({ length: 3 }, () => ['acquire', 'release']).flat()])
    told.length = 0
    await endSessions()
    await expect.poll(() => told.includes('remove')).toBe(true)
    expect([told, pool.idleCount, pool.totalCount]).toEqual([['acquire', 'release', 'error', 'remove'], 0, 0])
  })

  test('ends its idle connections with end(), in a callback too, and refuses a second one', async () => {
    const promised = product.database().getPool()
    await promised.query('select 1')
    await promised.end()
    const told = product.database().getPool()
    await told.query('select 1')
    await new Promise<void>((resolve) => told.end(resolve))
    expect([promised.totalCount, told.totalCount, await sessions()]).toEqual([0, 0, 0])
    await expect(promised.end()).rejects.toThrow('Called end on pool more than once')
    await expect(told.query('select 1')).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  test('lends no client that lay idle for long, though another one came back just now', async () => {
    let now = Date.now()
    const database = product.database({ max: 2 }, { ...SYSTEM_CLOCK, now: () => now })
    const [stale, broken] = await Promise.all([database.getClient(), database.getClient()])
    stale.release()
    now += 400_000
    broken.release(true)
    await database.query('select 1')
    expect(stale.uses).toBe(1)
  })

  test('lends no client past its lifetime, though it came back just now', async () => {
    let now = Date.now()
    const database = product.database({}, { ...SYSTEM_CLOCK, now: () => now })
    const client = await database.getClient()
    now += 40 * 60_000
    client.release()
    await database.query('select 1')
    expect(client.uses).toBe(1)
  })

  test('opens `max` connections at the most', async () => {
    const database = product.database({ max: 3 })
    await Promise.all(Array.from({ length: 12 }, () => database.query('select pg_sleep(0.02)')))
    expect(product.cloud.standIn.counts.tcp).toBe(3)
  })
})

describe('connectionString', () => {
  test('is the article’s form, with the path of the root certificate', async () => {
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

  test('is accepted by createDatabase() as it is', async () => {
    const text = await product.database().connectionString()
    const { query } = createDatabase({ connectionString: text })
    expect((await query('select current_user as who')).rows).toEqual([{ who: product.cloud.user }])
  })
})

describe('createDatabase', () => {
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

  test('close() ends the sessions, and the next use opens a new pool', async () => {
    const database = product.database()
    await database.query('select 1')
    const before = await sessions()
    await database.close()
    await expect.poll(sessions).toBe(before - 1)
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

describe('withDatabase', () => {
  test('connects before the first invocation', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => (await db.query('select 1 as one')).rows, {
      secretId,
    })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    expect(await handler({}, contextOf(5000))).toEqual([{ one: 1 }])
    expect({ parameters: handler.length, logins: cloud.standIn.counts.logins }).toEqual({ parameters: 2, logins: 1 })
  })

  test('opens no connection of its own beside the one of a statement that did not wait for it', async () => {
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

  test('does not fail the module when connecting fails during init', async () => {
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId: 'absent' })
    await expect(handler({}, contextOf(5000))).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })

  test('cancels a statement at the server before the deadline: ERR_DEADLINE', async () => {
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

  test('runs the handler with settings that are wrong, so that it can report them', async () => {
    const { healthCheck } = product.database({ port: 0 })
    const handler = withDatabase(() => healthCheck(), { port: 0 })
    expect(await handler({}, contextOf(5000))).toMatchObject({ ok: false, error: { code: 'ERR_CONFIG' } })
  })

  test('does not wait for Secrets Manager beyond the deadline', async () => {
    const { secretId, secretsManager } = product
    secretsManager.delayMs = 3000
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    const context = contextOf(1200)
    const error = await rejection(handler({}, context))
    secretsManager.delayMs = 0
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', safeToRetry: true })
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(100)
  })

  test('uses the secret that came too late for one caller for the next one', async () => {
    const { secretId, secretsManager } = product
    const database = product.database({ secretId })
    secretsManager.delayMs = 1000
    await rejection(inInvocation(800, () => database.query('select 1')))
    secretsManager.delayMs = 0
    await database.query('select 1')
    expect(secretsManager.requests.length).toBe(1)
  })

  test('sends nothing when no time is left', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    await expect(handler({}, contextOf(0))).rejects.toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })
})

describe('healthCheck', () => {
  test('reports server, connection, TLS, root certificate, secret and timings', async () => {
    const { cloud, secretId } = product
    const { healthCheck } = product.database()
    await healthCheck()
    const report = await healthCheck()
    expect(report).toMatchObject({
      ok: true,
      server: { name: 'PostgreSQL', version: expect.stringMatching(/^18\./) },
      connection: {
        host: cloud.host,
        database: 'cozy-otter-4821.defaultdb',
        cluster: 'cozy-otter-4821',
        user: cloud.user,
        reused: true,
        uses: 2,
        backendPid: expect.any(Number),
      },
      tls: {
        authorized: true,
        protocol: 'TLSv1.3',
        chain: [{ daysLeft: expect.any(Number) }, { subject: 'Stand-in Root CA' }],
      },
      rootCertificate: { origin: 'secret' },
      secret: { versionId: expect.any(String), versionStage: 'AWSCURRENT' },
      timings: {
        totalMs: expect.any(Number),
        opening: { tcpMs: expect.any(Number), tlsMs: expect.any(Number), loginMs: expect.any(Number) },
      },
    })
    expect(JSON.stringify(report)).not.toContain(cloud.password)
    expect(secretId).toBe('app/db')
  })

  test('names a CockroachDB server by what it says of itself', async () => {
    const { cloud } = product
    cloud.standIn.crdbVersion = 'CockroachDB CCL v25.4.2'
    const report = await product.database().healthCheck()
    cloud.standIn.crdbVersion = undefined
    expect(report.server).toEqual({ name: 'CockroachDB', version: 'CockroachDB CCL v25.4.2' })
  })

  test('reports an error with code and hint instead of throwing it', async () => {
    const report = await product.database({ secretId: 'absent' }).healthCheck()
    expect(report).toMatchObject({ ok: false, error: { code: 'ERR_SECRET_UNAVAILABLE', hint: expect.any(String) } })
  })

  test('reports a setting that is wrong', async () => {
    expect(await product.database({ port: 70_000 }).healthCheck()).toMatchObject({
      ok: false,
      error: { code: 'ERR_CONFIG' },
    })
  })
})

describe('secrecy', () => {
  test('the password is in nothing that can be printed of database, pool, client and report', async () => {
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
})
