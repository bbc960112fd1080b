import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresServer } from '../../../local/postgres/server.ts'
import { Database } from '../../../src/database.ts'
import { cancelRequest } from '../../../src/pool/cancel-request.ts'
import { checkedConnectionClass } from '../../../src/pool/checked-connection.ts'
import type { Pg } from '../../../src/pool/pg.ts'
import { openCloud } from '../../support/database.ts'
import { inInvocation } from '../../support/invocation.ts'
import { rejection } from '../../support/product.ts'

let folder: string
let server: PostgresServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'socket-'))
  // PostgreSQL runs as another user than root's tests do.
  chmodSync(folder, 0o777)
  server = await PostgresServer.start({ settings: { unix_socket_directories: folder } })
})

afterAll(async () => {
  await server?.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a statement is cancelled at the server at the deadline, over a Unix socket', async () => {
  const { port, user, password, database: dbname } = server.superuserConfig()
  const database = new Database({ host: folder, port, user, password, dbname })
  const error = await rejection(inInvocation(2000, () => database.query('select pg_sleep(60)')))
  expect(error).toMatchObject({ code: 'ERR_DEADLINE', message: expect.stringContaining('the statement was cancelled') })
  const sleeping =
    "select count(*)::int as count from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
  await expect.poll(() => server.query<{ count: number }>(sleeping), { timeout: 5000 }).toEqual([{ count: 0 }])
  await database.close()
})

test('a cancel request that takes longer than its caller may wait goes on, and ends the statement', async () => {
  await using cloud = await openCloud()
  const mayPass = Promise.withResolvers<void>()
  const slow = createServer(async (socket) => {
    socket.on('error', () => undefined)
    await mayPass.promise
    const inner = connect(cloud.standIn.port, '127.0.0.1')
    inner.on('error', () => undefined)
    socket.pipe(inner).pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(slow, 'listening')
  const client = new pg.Client(cloud.clientConfig())
  await client.connect()
  const statement = rejection(client.query('select pg_sleep(60)'))
  const { processID, secretKey, ssl } = Object(client)
  const target = { host: cloud.host, port: Object(slow.address()).port, ssl, processID, secretKey }
  await cancelRequest(checkedConnectionClass((pg as unknown as Pg).Connection), target, 50)
  expect(cloud.standIn.counts.cancels).toBe(0)
  mayPass.resolve()
  expect(await statement).toMatchObject({ code: '57014' })
  await client.end()
  slow.close()
})
