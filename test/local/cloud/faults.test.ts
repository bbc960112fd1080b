import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Lane } from '../../../local/cloud/lane.ts'
import type { ProxiedConnection, Verdict } from '../../../local/cloud/stand-in.ts'
import { sslRequest } from '../../../local/cloud/wire-protocol.ts'
import { PostgresServer } from '../../../local/postgres/server.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud
const clients: pg.Client[] = []

beforeAll(async () => {
  cloud = await openCloud()
  await cloud.postgres.query('create table entries (id int)', [], cloud.database)
  await cloud.postgres.query('grant all on entries to public', [], cloud.database)
})

afterEach(async () => {
  const { standIn } = cloud
  Object.assign(standIn, { delayMs: 0, trickle: undefined, refuse: undefined })
  Object.assign(standIn, { onClientMessage: undefined, onServerMessage: undefined })
  for (const connection of standIn.connections) connection.destroy()
  await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)))
})

afterAll(() => cloud[Symbol.asyncDispose]())

function createClient(changes: pg.ClientConfig = {}): pg.Client {
  const client = new pg.Client(cloud.clientConfig(changes))
  client.on('error', () => undefined)
  clients.push(client)
  return client
}

async function open(): Promise<{ client: pg.Client; connection: ProxiedConnection }> {
  const before = cloud.standIn.connections
  const client = createClient()
  await client.connect()
  const connection = cloud.standIn.connections.find((candidate) => !before.includes(candidate))
  if (connection === undefined) throw new Error('the stand-in lists no new connection')
  return { client, connection }
}

/** The rows in the database, read without the stand-in. */
async function countEntries(id: number): Promise<number> {
  const rows = await cloud.postgres.query('select 1 from entries where id = $1', [id], cloud.database)
  return rows.length
}

const sessionCount = async (): Promise<number> => (await cloud.postgres.sessions({ user: cloud.user })).length

describe('an open connection', () => {
  test('ends with FIN on both sides', async () => {
    const { client, connection } = await open()
    const [error] = await Promise.all([once(client, 'error').then(([cause]) => cause), connection.end()])
    expect(error).toMatchObject({ message: 'Connection terminated unexpectedly' })
    await expect.poll(sessionCount).toBe(0)
    await expect.poll(() => cloud.standIn.connections).toEqual([])
  })

  test('ends with RST', async () => {
    const { client, connection } = await open()
    const [error] = await Promise.all([once(client, 'error').then(([cause]) => cause), connection.reset()])
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    await expect.poll(sessionCount).toBe(0)
    expect(cloud.standIn.connections).toEqual([])
  })

  test('becomes a black hole: nothing arrives, not even FIN', async () => {
    const { client, connection } = await open()
    connection.blackHole()
    const outcome = client.query('insert into entries values (1)').then(
      () => 'answered',
      () => 'failed',
    )
    expect(await Promise.race([outcome, waited(300)])).toBe('waited')
    Reflect.get(client, 'connection').stream.destroy()
    expect(await outcome).toBe('failed')
    expect([await sessionCount(), await countEntries(1)]).toEqual([1, 0])
    connection.destroy()
    await expect.poll(sessionCount).toBe(0)
  })

  test('becomes a black hole with all others, while a new one works', async () => {
    const [{ client: first }, { client: second }] = [await open(), await open()]
    cloud.standIn.blackHoleAll()
    const outcomes = [first, second].map((client) => client.query('select 1').catch(() => undefined))
    const { client: third } = await open()
    expect((await third.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await Promise.race([...outcomes, waited(200)])).toBe('waited')
  })

  test('pauses, and continues without loss', async () => {
    const { client, connection } = await open()
    connection.pause()
    const answer = client.query('select 2 as two').then(({ rows }) => rows)
    expect(await Promise.race([answer, waited(200)])).toBe('waited')
    connection.resume()
    expect(await answer).toEqual([{ two: 2 }])
  })

  test('is lost when PostgreSQL ends the session', async () => {
    const { client } = await open()
    const gone = once(client, 'error')
    await cloud.postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
      cloud.user,
    ])
    expect((await gone)[0]).toMatchObject({ code: '57P01' })
  })
})

describe('latency', () => {
  test('is added once each way to every round trip, seven up to the first row but for the one of TCP', async () => {
    const delayMs = 40
    const [mostConnectMs, mostQueryMs] = [7 * 2 * delayMs, 4 * delayMs]
    cloud.standIn.delayMs = delayMs
    let [connectMs, queryMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    // A busy machine makes each slower, and none faster: the fastest shows what is added.
    for (let tries = 0; tries < 20 && (connectMs >= mostConnectMs || queryMs >= mostQueryMs); tries += 1) {
      const client = createClient()
      const startedAt = performance.now()
      await client.connect()
      connectMs = Math.min(connectMs, performance.now() - startedAt)
      const queriedAt = performance.now()
      await client.query('select 1')
      queryMs = Math.min(queryMs, performance.now() - queriedAt)
    }
    // SSLRequest, TLS, start-up, two of SCRAM: five round trips.
    expect(connectMs).toBeGreaterThanOrEqual(5 * 2 * delayMs - 10)
    expect(connectMs).toBeLessThan(mostConnectMs)
    expect(queryMs).toBeGreaterThanOrEqual(2 * delayMs - 2)
    expect(queryMs).toBeLessThan(mostQueryMs)
  })

  test('keeps the order when it is reduced under way', async () => {
    const faults = { delayMs: 30, trickle: undefined }
    const lane = new Lane(faults)
    const arrived: string[] = []
    const send = (text: string) => lane.send(Buffer.from(text), (bytes) => arrived.push(String(bytes)))
    send('first')
    faults.delayMs = 0
    send('second')
    await new Promise<void>((resolve) => lane.afterwards(resolve))
    expect(arrived).toEqual(['first', 'second'])
  })
})

test('an answer that trickles arrives whole, piece by piece', async () => {
  const { client } = await open()
  cloud.standIn.trickle = { bytes: 100, pauseMs: 5 }
  const startedAt = performance.now()
  const { rows } = await client.query("select repeat('x', 2000) as text")
  expect(rows).toEqual([{ text: 'x'.repeat(2000) }])
  expect(performance.now() - startedAt).toBeGreaterThan(19 * 5)
})

describe('a new client is', () => {
  test('refused with N, for want of TLS', async () => {
    cloud.standIn.refuse = 'tls'
    const message = 'The server does not support SSL connections'
    await expect(createClient().connect()).rejects.toMatchObject({ message })
  })

  test('left without an answer', async () => {
    cloud.standIn.refuse = 'silence'
    const connecting = createClient({ connectionTimeoutMillis: 200 }).connect()
    await expect(connecting).rejects.toMatchObject({ message: 'timeout expired' })
  })

  test('reset at once', async () => {
    cloud.standIn.refuse = 'rst'
    await expect(createClient().connect()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('refused with an error after the start-up message', async () => {
    const message = 'server is not accepting clients, try another node'
    cloud.standIn.refuse = { sqlstate: '57P01', message, hint: 'later' }
    await expect(createClient().connect()).rejects.toMatchObject({ code: '57P01', message, hint: 'later' })
    expect(cloud.standIn.connections).toEqual([])
  })
})

describe('a message can be', () => {
  const killOn =
    (letter: string, text: string) =>
    (_: ProxiedConnection, type: string, payload: Buffer): Verdict =>
      type === letter && payload.toString().includes(text) ? 'kill' : 'forward'

  test('lost on its way back: COMMIT ran, and its answer did not arrive', async () => {
    const { client } = await open()
    cloud.standIn.onServerMessage = killOn('C', 'COMMIT')
    await client.query('begin')
    await client.query('insert into entries values (2)')
    await expect(client.query('commit')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect.poll(() => countEntries(2)).toBe(1)
  })

  test('lost before it was sent: COMMIT never ran', async () => {
    const { client } = await open()
    cloud.standIn.onClientMessage = killOn('Q', 'commit')
    await client.query('begin')
    await client.query('insert into entries values (3)')
    await expect(client.query('commit')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect.poll(sessionCount).toBe(0)
    expect(await countEntries(3)).toBe(0)
  })

  test('dropped, while the connection stays', async () => {
    const { client } = await open()
    cloud.standIn.onClientMessage = (_, type) => (type === 'Q' ? 'drop' : 'forward')
    const answer = client.query('select 1').catch(() => 'failed')
    expect(await Promise.race([answer, waited(200)])).toBe('waited')
    expect(cloud.standIn.connections).toHaveLength(1)
  })
})

test('a client whose cluster is down is answered when the cluster is back', async () => {
  await using server = await PostgresServer.start()
  await server.createUser('app', 'secret')
  await server.createDatabase('defaultdb')
  cloud.standIn.addTenant({ cluster: 'lazy-roach-77', postgres: { port: server.port } })
  const config = { user: 'app', password: 'secret', database: 'lazy-roach-77.defaultdb' }

  const early = createClient(config)
  await early.connect()
  const lost = once(early, 'error')
  await server.crash()
  await lost
  const impatient = createClient({ ...config, connectionTimeoutMillis: 200 }).connect()
  await expect(impatient).rejects.toMatchObject({ message: 'timeout expired' })
  const patient = createClient(config)
  const connecting = patient.connect()
  await server.resume()
  await connecting
  expect((await patient.query('select current_database()')).rows).toEqual([{ current_database: 'defaultdb' }])
  await patient.end()
  cloud.standIn.tenants.delete('lazy-roach-77')
})

test('a client that sends no PostgreSQL message gets an error in clear text, and is closed', async () => {
  const client = connect(cloud.standIn.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\n\r\n')
  expect(String((await once(client, 'data'))[0])).toContain('internal server error')
  await once(client, 'close')
})

test('a client that leaves in the middle of the TLS handshake leaves no connection', async () => {
  const client = connect(cloud.standIn.port, '127.0.0.1')
  client.write(sslRequest())
  await once(client, 'data')
  client.end()
  await once(client, 'close')
})

async function waited(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return 'waited'
}
