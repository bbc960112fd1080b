import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PostgresServer } from '../../../local/postgres/server.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'

const steps: string[] = []
let server: PostgresServer
/** Only this test file makes folders here. */
let temporary: TemporaryFolder

beforeAll(async () => {
  temporary = await TemporaryFolder.open()
  server = await PostgresServer.start({ onProgress: (step) => steps.push(step), settings: { max_connections: '17' } })
})

afterAll(async () => {
  await server.stop()
  expect(await folders()).toEqual([])
  await temporary[Symbol.asyncDispose]()
})

async function connect(changes: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ ...server.superuserConfig(), ssl: false, ...changes })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

test('start reports its steps, and applies settings', async () => {
  expect(steps.at(-1)).toBe(`PostgreSQL listens on 127.0.0.1:${server.port}`)
  expect(await server.query('show max_connections')).toEqual([{ max_connections: '17' }])
})

describe('a login needs SCRAM-SHA-256', () => {
  test.each([
    ['without a password', { password: '' }, { message: /password must be a non-empty string/ }],
    ['with a wrong password', { password: 'wrong' }, { code: '28P01' }],
    ['for every line of pg_hba.conf', {}, undefined],
  ])('%s', async (_, changes, refusal) => {
    if (refusal !== undefined) await expect(connect(changes)).rejects.toMatchObject(refusal)
    // But of the members of a role that has none unless a test says so: they are asked as for a token.
    const rules = await server.query("select user_name from pg_hba_file_rules where auth_method <> 'scram-sha-256'")
    expect(rules).toEqual([{ user_name: ['+asked_in_clear_text'] }])
  })
})

test('the server listens on loopback only, with no Unix socket', async () => {
  expect(await server.query('show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }])
  expect(await server.query('show unix_socket_directories')).toEqual([{ unix_socket_directories: '' }])
})

test('a new user creates tables in a new database and is listed by sessions()', async () => {
  await server.createDatabase('a "quoted" name')
  await server.createUser("o'hara", "pass'word\\")
  const login = { user: "o'hara", password: "pass'word\\", database: 'a "quoted" name', application_name: 'seen' }
  const client = await connect(login)
  await client.query('create table things (id int)')
  expect(await server.sessions({ user: "o'hara", application_name: 'seen' })).toEqual([
    expect.objectContaining({ datname: 'a "quoted" name', state: 'idle', query: 'create table things (id int)' }),
  ])
  expect(await server.sessions({ user: 'nobody' })).toEqual([])
  await client.end()
  await expect.poll(() => server.sessions({ user: "o'hara" })).toEqual([])

  await server.changePassword("o'hara", 'other')
  await expect(connect(login)).rejects.toMatchObject({ code: '28P01' })
})

test('a crash and a restart end sessions, and keep port and data', async () => {
  await server.query('create table kept (id int)')
  const { port } = server
  for (const interrupt of [() => server.crash(), () => server.restart('fast')]) {
    const client = await connect({})
    const [[error]] = await Promise.all([once(client, 'error'), interrupt()])
    expect(error).toBeInstanceOf(Error)
    await server.resume()
    expect([server.port, await server.query('select count(*)::int from kept')]).toEqual([port, [{ count: 0 }]])
  }
})

test('a setting that PostgreSQL does not know is reported in its words, and nothing is left', async () => {
  const before = await folders()
  const starting = PostgresServer.start({ settings: { no_such_setting: '1' } })
  await expect(starting).rejects.toThrow('unrecognized configuration parameter "no_such_setting"')
  expect(await folders()).toEqual(before)
})

describe('nothing is left', () => {
  test('after stop, which may be called twice', async () => {
    const before = await folders()
    const other = await PostgresServer.start()
    expect(await folders()).toHaveLength(before.length + 1)
    const [{ pid } = {}] = await other.query<{ pid: number }>('select pg_backend_pid() as pid')
    await other.stop()
    await other.stop()
    expect(await folders()).toEqual(before)
    expect(isRunning(pid)).toBe(false)
  })

  test('after the starting process was killed', async () => {
    const before = await folders()
    const child = fork(new URL('../../support/start-postgres-server.ts', import.meta.url))
    const [port] = await once(child, 'message')
    expect(await folders()).toHaveLength(before.length + 1)
    child.kill('SIGKILL')
    await expect.poll(folders, { timeout: 20_000 }).toEqual(before)
    await expect(connect({ port: Number(port) })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

async function folders(): Promise<string[]> {
  return (await readdir(temporary.path)).sort()
}

function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0)
  } catch {
    return false
  }
}
