/** Connections in clear text, whose names resolve to whatever address a resolver gives. */
import dns, { type LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createDatabase } from '../../../src/index.ts'
import { cancelRequest } from '../../../src/pool/cancel-request.ts'
import { checkedConnectionClass } from '../../../src/pool/checked-connection.ts'
import type { Pg } from '../../../src/pool/pg.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

const CheckedConnection = checkedConnectionClass((pg as unknown as Pg).Connection)
const PASSWORD = 'pw-of-a-developer'
const address = Object.values(networkInterfaces())
  .flat()
  .find((found) => found?.internal === false && found.family === 'IPv4')?.address
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})

afterAll(async () => {
  await database?.[Symbol.asyncDispose]()
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** An address of this machine that is not loopback stands for a server elsewhere. */
function outside(): string {
  return address ?? expect.fail('this machine has no address but loopback: give it one')
}

/** What getaddrinfo would give for every name. */
function resolveTo(...addresses: readonly string[]): void {
  const found: LookupAddress[] = addresses.map((each) => ({ address: each, family: each.includes(':') ? 6 : 4 }))
  const lookup = (_name: string, { all }: { all?: boolean }, tell: (...answer: unknown[]) => void): void => {
    process.nextTick(() => (all ? tell(null, found) : tell(null, found[0]?.address, found[0]?.family)))
  }
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup)
}

/** A server that counts connections and bytes. */
async function listen(host: string) {
  const heard = { connections: 0, bytes: 0 }
  const server = createServer((socket) => {
    heard.connections += 1
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      heard.bytes += data.length
      socket.end()
    })
  }).listen(0, host)
  await once(server, 'listening')
  const listening = server.address()
  if (listening === null || typeof listening === 'string') expect.fail('no TCP port')
  return { heard, port: listening.port, [Symbol.dispose]: () => void server.close() }
}

function refusalOf(host: string, port: number) {
  const { query } = createDatabase({ host, port, user: 'app', password: PASSWORD, dbname: 'd', sslmode: 'disable' })
  return query('select 1').then(
    () => expect.fail('connected'),
    (error: unknown) => error,
  )
}

describe('sslmode=disable', () => {
  test.each(['localhost', 'evil.localhost'])('sends nothing when %s resolves to another address', async (host) => {
    using server = await listen(outside())
    resolveTo(outside())
    const error = await refusalOf(host, server.port)
    expect(error).toMatchObject({
      code: 'ERR_TLS',
      message: `sslmode=disable would send everything to ${host} (${outside()}) in clear text`,
    })
    expect(inspect(error, { depth: Infinity })).not.toContain(PASSWORD)
    await vi.waitFor(() => expect(server.heard.connections).toBe(1))
    expect(server.heard.bytes).toBe(0)
  })

  test('sends nothing to the other address when a name resolves to both', async () => {
    using server = await listen(outside())
    resolveTo(outside(), '127.0.0.1')
    expect(await refusalOf('both.localhost', server.port)).toMatchObject({ code: 'ERR_TLS' })
    resolveTo('127.0.0.1', outside())
    // Nothing listens there on loopback.
    expect(await refusalOf('both.localhost', server.port)).toMatchObject({ code: expect.stringMatching(/ERR_TLS/) })
    expect(server.heard.bytes).toBe(0)
  })

  test.each(['127.0.0.1', '::ffff:127.0.0.1', '0.0.0.0'])(
    'connects when localhost resolves to %s',
    async (loopback) => {
      const { port, user, password, database: dbname } = database
      resolveTo(loopback)
      const { query, close } = createDatabase({ host: 'localhost', port, user, password, dbname, sslmode: 'disable' })
      expect((await query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await close()
    },
  )

  test.each(['127.1', '2130706433', '0x7f.1', '0.0.0.0', '::ffff:127.0.0.1', '[::ffff:7f00:1]', '10.0.0.1'])(
    'is refused for host %s before anything is opened',
    async (host) => {
      expect(await refusalOf(host, database.port)).toMatchObject({ code: 'ERR_TLS' })
    },
  )
})

describe('a cancel request without TLS', () => {
  test('sends nothing when its name resolves to another address', async () => {
    using server = await listen(outside())
    resolveTo(outside())
    await cancelRequest(
      CheckedConnection,
      { host: 'localhost', port: server.port, ssl: false, processID: 1, secretKey: 2 },
      5000,
    )
    await vi.waitFor(() => expect(server.heard.connections).toBe(1))
    expect(server.heard.bytes).toBe(0)
  })

  test('reaches a server on loopback', async () => {
    using server = await listen('127.0.0.1')
    resolveTo('127.0.0.1')
    await cancelRequest(
      CheckedConnection,
      { host: 'localhost', port: server.port, ssl: false, processID: 1, secretKey: 2 },
      5000,
    )
    expect(server.heard.bytes).toBe(16)
  })
})
