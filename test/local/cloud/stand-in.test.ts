import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { CloudStandIn } from '../../../local/cloud/stand-in.ts'
import { cancelRequest, sslRequest, startupMessage } from '../../../local/cloud/wire-protocol.ts'
import { resolveToLoopback } from '../../../local/loopback/names.ts'
import type { Session } from '../../../local/postgres/admin.ts'
import { createTestDatabase, openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud
let resolveAsEver: () => void

beforeAll(async () => {
  resolveAsEver = resolveToLoopback()
  // Beside the cluster's host a name that is no cluster's.
  cloud = await openCloud({
    hosts: ['cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud', 'db.cockroachlabs.cloud'],
  })
})

afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
  resolveAsEver()
})

afterEach(() => {
  cloud.standIn.throttle = undefined
  Object.assign(cloud.standIn.tenant(cloud.cluster), {
    allowsAddress: true,
    isAvailable: true,
    isRequestUnitLimitHit: false,
  })
})

/** The first row of a statement on a connection of its own. */
async function ask(config: pg.ClientConfig, sql = 'select 1 as one'): Promise<unknown> {
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<pg.QueryResultRow>(sql)).rows[0]
  } finally {
    await client.end()
  }
}

describe('a client reaches the database', () => {
  test('by the prefix of the database, over TLS 1.3, without channel binding', async () => {
    cloud.standIn.resetCounts()
    expect(await ask(cloud.clientConfig(), 'select current_database(), current_user')).toEqual({
      current_database: cloud.database,
      current_user: cloud.user,
    })
    expect(cloud.standIn.counts).toMatchObject({ tcp: 1, tls: 1, logins: 1, authOk: 1, cancels: 0 })
    expect(cloud.standIn.loginTimes).toHaveLength(1)
  })

  test('by options, whose other flags arrive', async () => {
    const options = `--cluster=${cloud.cluster} -c statement_timeout=4321`
    const config = cloud.clientConfig({ database: 'defaultdb', options })
    expect(await ask(config, 'show statement_timeout')).toEqual({ statement_timeout: '4321ms' })
  })

  test('by the server name, with no database at all', async () => {
    const client = await openTls()
    client.write(startupMessage({ version: 196608, parameters: new Map([['user', cloud.user]]) }))
    expect(String((await once(client, 'data'))[0])).toContain('SCRAM-SHA-256\0')
    expect([client.alpnProtocol, client.getProtocol()]).toEqual([false, 'TLSv1.3'])
    client.destroy()
  })

  test('of its own cluster, several clusters behind one port', async () => {
    await using other = await createTestDatabase()
    const { host } = cloud.standIn.addTenant({ cluster: 'lazy-roach-77', databases: { defaultdb: other.database } })
    const certificate = cloud.standIn.certificate
    cloud.standIn.certificate = await cloud.authority.issue({ hosts: [host] })
    const config = cloud.clientConfig({ host, database: 'lazy-roach-77.defaultdb' })
    expect(await ask(config, 'select current_database() as name')).toEqual({ name: other.database })
    cloud.standIn.certificate = certificate
    cloud.standIn.tenants.delete('lazy-roach-77')
  })
})

describe('a client is refused with', () => {
  const missing = 'codeParamsRoutingFailed: missing cluster identifier'
  const tenant = () => cloud.standIn.tenant(cloud.cluster)
  const rows: [string, pg.ClientConfig, () => void, { code: string; message: string; hint?: unknown }][] = [
    [
      'no identifier',
      { host: 'db.cockroachlabs.cloud', database: 'defaultdb' },
      () => undefined,
      { code: '08C00', message: missing },
    ],
    [
      'a malformed identifier',
      { database: 'cozy-otter-0.defaultdb' },
      () => undefined,
      { code: '08C00', message: "codeParamsRoutingFailed: invalid cluster identifier 'cozy-otter-0'" },
    ],
    [
      'an unknown cluster',
      { database: 'cozy-otter-4822.defaultdb' },
      () => undefined,
      { code: '08C00', message: 'codeParamsRoutingFailed: cluster cozy-otter-4822 not found' },
    ],
    [
      'a name that does not match the id',
      { database: 'lazy-roach-4821.defaultdb' },
      () => undefined,
      { code: '08C00', message: 'codeParamsRoutingFailed: cluster lazy-roach-4821 not found' },
    ],
    [
      'an address that is not on the allowlist, before the password',
      { password: 'wrong' },
      () => Object.assign(tenant(), { allowsAddress: false }),
      { code: '08C00', message: 'codeProxyRefusedConnection: connection refused' },
    ],
    [
      'a cluster that is not available',
      {},
      () => Object.assign(tenant(), { isAvailable: false }),
      { code: '08C00', message: 'codeUnavailable: the cluster is not accepting connections' },
    ],
    [
      'a request unit limit that is hit',
      {},
      () => Object.assign(tenant(), { isRequestUnitLimitHit: true }),
      {
        code: '53300',
        message: 'cluster connections are limited',
        hint: 'the maximum number of allowed connections is 0',
      },
    ],
    [
      'a database that the cluster has not',
      { database: 'cozy-otter-4821.postgres' },
      () => undefined,
      { code: '3D000', message: 'database "postgres" does not exist' },
    ],
  ]
  test.each(rows)('%s', async (_, changes, prepare, expected) => {
    prepare()
    cloud.standIn.resetCounts()
    await expect(ask(cloud.clientConfig(changes))).rejects.toMatchObject({ severity: 'FATAL', ...expected })
    expect(cloud.standIn.counts.logins).toBe(0)
  })

  test('a wrong password, by PostgreSQL itself', async () => {
    await expect(ask(cloud.clientConfig({ password: 'wrong' }))).rejects.toMatchObject({ code: '28P01' })
  })

  test('too many wrong passwords, the right one included, until the window is over', async () => {
    cloud.standIn.throttle = { maxFailures: 2, windowMs: 600_000 }
    await ask(cloud.clientConfig())
    cloud.standIn.resetCounts()
    for (let failures = 0; failures < 2; failures += 1)
      await expect(ask(cloud.clientConfig({ password: 'wrong' }))).rejects.toMatchObject({ code: '28P01' })
    const message = 'codeProxyRefusedConnection: too many failed authentication attempts'
    await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: '08C00', message })
    expect(cloud.standIn.counts.logins).toBe(2)
    cloud.standIn.throttle = { maxFailures: 2, windowMs: 0 }
    expect(await ask(cloud.clientConfig())).toEqual({ one: 1 })
  })

  test('no TLS, in clear text and without a code in front', async () => {
    await expect(ask(cloud.clientConfig({ ssl: false }))).rejects.toMatchObject({
      message: 'server requires encryption',
    })
  })

  test('TLS without SSLRequest: clear text where TLS should be', async () => {
    const client = connectTls({ host: '127.0.0.1', port: cloud.standIn.port, ALPNProtocols: ['postgresql'] })
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' })
  })

  test('older words, by a stand-in that is asked for them', async () => {
    await using older = await openCloud({ wording: 'older', authority: cloud.authority })
    await expect(ask(older.clientConfig({ database: 'short.defaultdb' }))).rejects.toMatchObject({ code: '08004' })
  })
})

describe('a client that verifies turns down', () => {
  test('a certificate that has expired, and takes the next one', async () => {
    const { standIn, authority, host } = cloud
    standIn.certificate = await authority.issue({ hosts: [host], notBefore: new Date(0), notAfter: new Date(1e12) })
    await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' })
    standIn.certificate = await authority.issue({ hosts: [host] })
    expect(await ask(cloud.clientConfig())).toEqual({ one: 1 })
  })

  test("another host's certificate", async () => {
    const { standIn, authority, host } = cloud
    standIn.certificate = await authority.issue({ hosts: ['lazy-roach-77.7tt.aws-ap-southeast-1.cockroachlabs.cloud'] })
    await expect(ask(cloud.clientConfig())).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    standIn.certificate = await authority.issue({ hosts: [host] })
  })

  test("another authority's certificate", async () => {
    const { certificate } = await createCertificateAuthority('Stranger Root CA')
    await expect(ask(cloud.clientConfig({ ssl: { ca: certificate } }))).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    })
  })
})

test('a cancel request over TLS stops the statement of its own session, by a key of the stand-in', async () => {
  const client = new pg.Client(cloud.clientConfig())
  await client.connect()
  const key = keyOf(client)
  const [backend] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows
  expect(key.readInt32BE(0)).not.toBe(backend?.pid)

  const sleeping = client.query('select pg_sleep(60)').catch((error: unknown) => error)
  // Until the statement runs, there is nothing to cancel.
  await expect.poll(async () => (await cloud.postgres.sessions({ user: cloud.user })).map(stateOf)).toEqual(['active'])
  cloud.standIn.resetCounts()
  const canceller = await openTls()
  canceller.resume().end(cancelRequest(key))
  await once(canceller, 'close')
  expect(await sleeping).toMatchObject({ code: '57014' })
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(cloud.standIn.counts).toMatchObject({ cancels: 1, logins: 0 })
  await client.end()
})

test('a cancel request with a key that nobody has is closed without a word', async () => {
  cloud.standIn.resetCounts()
  const canceller = await openTls()
  canceller.resume().end(cancelRequest(Buffer.alloc(8)))
  await once(canceller, 'close')
  expect(cloud.standIn.counts).toMatchObject({ tls: 1, cancels: 0 })
})

test('a connection is listed while it lasts', async () => {
  const client = new pg.Client(cloud.clientConfig({ application_name: 'listed' }))
  await client.connect()
  const { host, cluster, user } = cloud
  const listed = () => cloud.standIn.connections.filter(({ application_name }) => application_name === 'listed')
  expect(listed()).toEqual([expect.objectContaining({ host, cluster, user, isAuthenticated: true })])
  await client.end()
  await vi.waitFor(() => expect(listed()).toEqual([]))
})

test('a large result and a large parameter pass through whole', async () => {
  const client = new pg.Client(cloud.clientConfig())
  await client.connect()
  const text = 'x'.repeat(5_000_000)
  const { rows } = await client.query<{ text: string }>('select $1::text as text', [text])
  expect(rows[0]?.text === text).toBe(true)
  await client.end()
})

test('crdb_version is told when it is set', async () => {
  const versions: unknown[] = []
  const client = new pg.Client(cloud.clientConfig())
  const connection: unknown = Reflect.get(client, 'connection')
  if (connection instanceof pg.Connection)
    connection.on('parameterStatus', (message) => versions.push([message.parameterName, message.parameterValue]))
  cloud.standIn.crdbVersion = 'CockroachDB CCL v25.4.1'
  await client.connect()
  cloud.standIn.crdbVersion = undefined
  await client.end()
  expect(versions).toContainEqual(['crdb_version', 'CockroachDB CCL v25.4.1'])
})

test('an ordinary server routes nothing', async () => {
  await using plain = await openCloud({ routing: false, hosts: ['db.cockroachlabs.cloud'], tenants: [] })
  const config = plain.clientConfig({ database: plain.database })
  expect(await ask(config, 'select current_database() as name')).toEqual({ name: plain.database })
  await expect(ask(plain.clientConfig({ database: 'cozy-otter-4821.x' }))).rejects.toMatchObject({
    code: '3D000',
    message: 'database "cozy-otter-4821.x" does not exist',
  })
  await expect(ask({ ...config, ssl: false })).rejects.toMatchObject({ code: '28000', message: /no encryption$/ })
})

test('the port is closed after stop', async () => {
  const standIn = await CloudStandIn.start({ postgres: { port: 1 }, authority: cloud.authority, hosts: ['localhost'] })
  const { port } = standIn
  await standIn.stop()
  await standIn.stop()
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

// `npm test` needs npm packages only; in CI a missing psql is an error.
const mustRunPsql = process.env.CI !== undefined || spawnSync('psql', ['--version']).status === 0

describe.runIf(mustRunPsql)('psql', () => {
  let folder: string
  const run = promisify(execFile)

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'psql-'))
    await writeFile(join(folder, 'root.crt'), cloud.authority.certificate)
  })
  afterAll(async () => await rm(folder, { recursive: true }))

  function psql(database: string, options = ''): Promise<{ stdout: string }> {
    const url = `postgresql://${cloud.user}@${cloud.host}:${cloud.standIn.port}/${database}?sslmode=verify-full&sslrootcert=${folder}/root.crt${options}`
    const env = { ...process.env, PGHOSTADDR: '127.0.0.1', PGPASSWORD: cloud.password }
    return run('psql', ['--no-psqlrc', '-At', '-c', 'select current_database()', url], { env })
  }

  const rows: [string, string, string][] = [
    ['the prefix of the database', 'cozy-otter-4821.defaultdb', ''],
    ['options', 'defaultdb', '&options=--cluster%3Dcozy-otter-4821'],
    ['the server name', 'defaultdb', ''],
  ]
  test.each(rows)('logs in by %s', async (_, database, options) => {
    expect((await psql(database, options)).stdout).toBe(`${cloud.database}\n`)
  })

  test('tells message and hint of a refusal', async () => {
    await expect(psql('cozy-otter-x.defaultdb')).rejects.toMatchObject({
      stderr: expect.stringMatching(
        /FATAL: {2}codeParamsRoutingFailed: invalid cluster identifier 'cozy-otter-x'\nHINT:/,
      ),
    })
  })
})

/** SSLRequest and the handshake, as every client does them. */
async function openTls(): Promise<TLSSocket> {
  const socket = connect(cloud.standIn.port, '127.0.0.1')
  socket.write(sslRequest())
  expect(String((await once(socket, 'data'))[0])).toBe('S')
  const client = connectTls({ socket, servername: cloud.host, ca: cloud.authority.certificate })
  await once(client, 'secureConnect')
  return client
}

function stateOf({ state }: Session): string {
  return state
}

/** pg keeps what BackendKeyData said, but its types do not tell. */
function keyOf(client: pg.Client): Buffer {
  const key = Buffer.alloc(8)
  key.writeInt32BE(Number(Reflect.get(client, 'processID')), 0)
  key.writeInt32BE(Number(Reflect.get(client, 'secretKey')), 4)
  return key
}
