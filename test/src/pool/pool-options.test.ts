/** The options of pg's pool, each on connections to a real server. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, SYSTEM_CLOCK } from '../../../src/base/clock.ts'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import type { Database } from '../../../src/index.ts'
import { REFUSED_OPTIONS } from '../../../src/settings/pool-options.ts'
import { inInvocation } from '../../support/invocation.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'
import { sessionCount } from '../../support/sessions.ts'

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

const pidOf = async ({ query }: Database): Promise<unknown> =>
  (await query('select pg_backend_pid() as pid')).rows[0]?.pid

async function show(database: Database, name: string): Promise<unknown> {
  return (await database.query(`select current_setting('${name}') as value`)).rows[0]?.value
}

describe('onConnect', () => {
  test('gets each new connection once, before anybody else, and is waited for', async () => {
    let calls = 0
    const database = product.database({
      onConnect: async (client) => {
        calls += 1
        await client.query("select set_config('app.tenant', 'seven', false)")
      },
    })
    expect(await show(database, 'app.tenant')).toBe('seven')
    expect(await show(database, 'app.tenant')).toBe('seven')
    expect(calls).toBe(1)
    await database.close()
  })

  test('that throws fails the call with its own error, leaves no session, and is asked again', async () => {
    const mistake = new Error('made by onConnect')
    let isWrong = true
    const database = product.database({
      onConnect: () => {
        if (isWrong) throw mistake
      },
    })
    expect(await rejection(database.query('select 1'))).toBe(mistake)
    await expect.poll(() => sessionCount(product)).toBe(0)
    isWrong = false
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(product.cloud.standIn.counts.logins).toBe(2)
    await database.close()
  })

  test('that fails at another database is no refusal of this password, and is not tried again', async () => {
    let calls = 0
    const elsewhere = new ConnectionError('ERR_AUTHENTICATION', 'of another database')
    const database = product.database({
      onConnect: () => {
        calls += 1
        if (calls === 1) throw elsewhere
      },
    })
    expect(await rejection(database.query('select 1'))).toBe(elsewhere)
    expect(calls).toBe(1)
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await database.close()
  })

  test('that never ends costs its connection and not the place in the pool', async () => {
    let hangs = true
    const database = product.database({ onConnect: () => (hangs ? new Promise(() => undefined) : undefined) })
    const error = await rejection(inInvocation(2000, () => database.query('select 1')))
    expect(error).toMatchObject({ code: 'ERR_DEADLINE' })
    hangs = false
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await database.close()
    await expect.poll(() => sessionCount(product)).toBe(0)
  })
})

describe('a connection is replaced', () => {
  test('after maxUses', async () => {
    const database = product.database({ maxUses: 2 })
    const pids = [await pidOf(database), await pidOf(database), await pidOf(database)]
    expect([pids[1] === pids[0], pids[2] === pids[1]]).toEqual([true, false])
    await database.close()
  })

  test.each([
    ['maxLifetimeSeconds', { maxLifetimeSeconds: 10 }, 9000, 11_000],
    ['idleTimeoutMillis', { idleTimeoutMillis: 10_000 }, 9000, 11_000],
    ['the longest idle time, with idleTimeoutMillis 0', { idleTimeoutMillis: 0 }, 330_000, 341_000],
  ])('after %s, and not before', async (_name, options, before, after) => {
    let now = 0
    const clock: Clock = { ...SYSTEM_CLOCK, now: () => now, steadyNow: () => now }
    const database = product.database(options, clock)
    const first = await pidOf(database)
    now = before
    expect(await pidOf(database)).toBe(first)
    now += after
    expect(await pidOf(database)).not.toBe(first)
    await database.close()
  })

  test('not for its age with maxLifetimeSeconds 0', async () => {
    let now = 0
    const clock: Clock = { ...SYSTEM_CLOCK, now: () => now, steadyNow: () => now }
    const database = product.database({ maxLifetimeSeconds: 0 }, clock)
    const first = await pidOf(database)
    for (let minute = 0; minute < 60; minute += 5) {
      now += 300_000
      expect(await pidOf(database)).toBe(first)
    }
    await database.close()
  })
})

describe('a limit', () => {
  test('of the client, query_timeout, ends the wait, cancels the statement, and frees the place', async () => {
    const database = product.database({ query_timeout: 200 })
    await expect(database.query('select pg_sleep(30), 1 as timed_out_marker')).rejects.toThrow('Query read timeout')
    const running =
      "select 1 from pg_stat_activity where query like '%timed_out_marker%' and state = 'active' and usename = $1"
    await expect.poll(async () => (await product.cloud.postgres.query(running, [product.cloud.user])).length).toBe(0)
    expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await database.close()
  })

  test.each([
    ['statement_timeout', '1234ms'],
    ['lock_timeout', '1234ms'],
    ['idle_in_transaction_session_timeout', '1234ms'],
  ])('of the session, %s, is set at the server', async (name, value) => {
    const database = product.database({ [name]: 1234 })
    expect(await show(database, name)).toBe(value)
    await database.close()
  })
})

test('keepAlive has TCP probe the connection', async () => {
  const database = product.database({ keepAlive: true, keepAliveInitialDelayMillis: 60_000 })
  const client = await database.getClient()
  const { localPort, remotePort } = Object(client).connection.stream
  // Polled: until the server has acknowledged what was sent, the timer is that of sending again.
  await expect.poll(() => timerOf(localPort, remotePort)).toBe('02')
  client.release()
  await database.close()
})

test('binary and types reach pg: the parsers are asked for the binary format', async () => {
  const asked: unknown[] = []
  const database = product.database({
    binary: true,
    types: {
      getTypeParser: (oid: number, format?: string) => {
        asked.push([oid, format])
        return () => 'parsed'
      },
    } as never,
  })
  expect((await database.query('select $1::int4 as one', [1])).rows).toEqual([{ one: 'parsed' }])
  expect(asked).toContainEqual([23, 'binary'])
  await database.close()
})

test.each(Object.entries(REFUSED_OPTIONS))('option %s is refused: %s', async (name, reason) => {
  const database = product.database({ [name]: 1 })
  await expect(database.query('select 1')).rejects.toMatchObject({
    code: 'ERR_CONFIG',
    message: `option ${name} is not taken: ${reason}`,
  })
})

test.each([
  [{ maxUses: 0 }, 'option maxUses is 0; expected a whole number from 1 to 1000000000'],
  [{ idleTimeoutMillis: 400_000 }, 'option idleTimeoutMillis is 400000; expected a whole number from 0 to 340000'],
  [{ onConnect: 'set x' }, 'option onConnect is a string; expected a function'],
  [{ types: 1 }, 'option types is a number; expected an object'],
])('%j is refused', async (options, message) => {
  const database = product.database(options as never)
  await expect(database.query('select 1')).rejects.toMatchObject({ code: 'ERR_CONFIG', message })
})

/** The timer that runs on an open connection, from `/proc/net/tcp`: 02 is that of keepalive, 01 that of sending again. */
function timerOf(localPort: unknown, remotePort: unknown): string | undefined {
  const inHex = (port: unknown) => Number(port).toString(16).toUpperCase().padStart(4, '0')
  const open = '01'
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local, remote, state, , timer] = line.trim().split(/\s+/)
    // A closed connection of the same local port can stand there too, in TIME_WAIT.
    const same = local?.endsWith(`:${inHex(localPort)}`) && remote?.endsWith(`:${inHex(remotePort)}`)
    if (same && state === open) return timer?.slice(0, 2)
  }
  return undefined
}
