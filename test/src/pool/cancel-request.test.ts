import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PostgresServer } from '../../../local/postgres/server.ts'
import { Database } from '../../../src/database.ts'
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
