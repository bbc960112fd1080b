import { once } from 'node:events'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cancelRequest } from '../../../local/cloud/wire-protocol.ts'
import type { Session } from '../../../local/postgres/admin.ts'
import { openTls } from '../../support/cloud-client.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
})

afterAll(() => cloud[Symbol.asyncDispose]())

test('a cancel request over TLS cancels the statement of its own session, by a key of the stand-in', async () => {
  const client = new pg.Client(cloud.clientConfig())
  await client.connect()
  const key = keyOf(client)
  const [backend] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
  expect(key.readInt32BE(0)).not.toBe(backend?.pid)

  const sleeping = client.query('select pg_sleep(60)').catch((error: unknown) => error)
  // Until the statement runs, there is nothing to cancel.
  await expect.poll(async () => (await cloud.postgres.sessions({ user: cloud.user })).map(stateOf)).toEqual(['active'])
  cloud.standIn.resetCounts()
  const canceller = await openTls(cloud)
  canceller.resume().end(cancelRequest(key))
  await once(canceller, 'close')
  expect(await sleeping).toMatchObject({ code: '57014' })
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(cloud.standIn.counts).toMatchObject({ cancels: 1, logins: 0 })
  await client.end()
})

test('a cancel request with an unknown key is closed without an answer', async () => {
  cloud.standIn.resetCounts()
  const canceller = await openTls(cloud)
  canceller.resume().end(cancelRequest(Buffer.alloc(8)))
  await once(canceller, 'close')
  expect(cloud.standIn.counts).toMatchObject({ tls: 1, cancels: 0 })
})

function stateOf({ state }: Session): string {
  return state
}

/** pg stores the key of BackendKeyData, but its types do not have it. */
function keyOf(client: pg.Client): Buffer {
  const key = Buffer.alloc(8)
  key.writeInt32BE(Number(Reflect.get(client, 'processID')), 0)
  key.writeInt32BE(Number(Reflect.get(client, 'secretKey')), 4)
  return key
}
