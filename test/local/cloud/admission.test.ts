import { once } from 'node:events'
import type pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startupMessage } from '../../../local/cloud/wire-protocol.ts'
import { ask, openTls } from '../../support/cloud-client.ts'
import { createTestDatabase, openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud({
    // The cluster's host, and a name that belongs to no cluster.
    hosts: ['cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud', 'db.cockroachlabs.cloud'],
  })
})

afterAll(() => cloud[Symbol.asyncDispose]())

afterEach(() => {
  Object.assign(cloud.standIn.tenant(cloud.cluster), {
    allowsAddress: true,
    isAvailable: true,
    isRequestUnitLimitHit: false,
  })
})

describe('a client is connected to its database', () => {
  test('by the prefix of the database, over TLS 1.3, without channel binding', async () => {
    cloud.standIn.resetCounts()
    expect(await ask(cloud.clientConfig(), 'select current_database(), current_user')).toEqual({
      current_database: cloud.database,
      current_user: cloud.user,
    })
    expect(cloud.standIn.counts).toMatchObject({ tcp: 1, tls: 1, logins: 1, authOk: 1, cancels: 0 })
    expect(cloud.standIn.loginTimes).toHaveLength(1)
  })

  test('by options, whose other flags are passed on', async () => {
    const options = `--cluster=${cloud.cluster} -c statement_timeout=4321`
    const config = cloud.clientConfig({ database: 'defaultdb', options })
    expect(await ask(config, 'show statement_timeout')).toEqual({ statement_timeout: '4321ms' })
  })

  test('by the server name, with no database at all', async () => {
    const client = await openTls(cloud)
    client.write(startupMessage({ version: 196608, parameters: new Map([['user', cloud.user]]) }))
    expect(String((await once(client, 'data'))[0])).toContain('SCRAM-SHA-256\0')
    expect([client.alpnProtocol, client.getProtocol()]).toEqual([false, 'TLSv1.3'])
    client.destroy()
  })

  test('of its own cluster, with several clusters behind one port', async () => {
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
      'a database that the cluster does not have',
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

  test('the older wording, by a stand-in that has that option', async () => {
    await using older = await openCloud({ wording: 'older', authority: cloud.authority })
    await expect(ask(older.clientConfig({ database: 'short.defaultdb' }))).rejects.toMatchObject({ code: '08004' })
  })
})
