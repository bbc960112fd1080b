import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ask } from '../../support/cloud-client.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'

let cloud: TestCloud

beforeAll(async () => {
  cloud = await openCloud()
})

afterAll(() => cloud[Symbol.asyncDispose]())

describe('a client is refused', () => {
  test('by an error in clear text, when it asks for no TLS', async () => {
    await expect(ask(cloud.clientConfig({ ssl: false }))).rejects.toMatchObject({
      message: 'server requires encryption',
    })
  })

  test('by clear text, when it begins TLS without SSLRequest', async () => {
    const client = connectTls({ host: '127.0.0.1', port: cloud.standIn.port, ALPNProtocols: ['postgresql'] })
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' })
  })
})

test('an open connection is listed, until it is closed', async () => {
  const client = new pg.Client(cloud.clientConfig({ application_name: 'listed' }))
  await client.connect()
  const { host, cluster, user } = cloud
  const listed = () => cloud.standIn.connections.filter(({ application_name }) => application_name === 'listed')
  expect(listed()).toEqual([expect.objectContaining({ host, cluster, user, isAuthenticated: true })])
  await client.end()
  await vi.waitFor(() => expect(listed()).toEqual([]))
})

test('a result and a parameter of 5 MB pass through whole', async () => {
  const client = new pg.Client(cloud.clientConfig())
  await client.connect()
  const text = 'x'.repeat(5_000_000)
  const { rows } = await client.query<{ text: string }>('select $1::text as text', [text])
  expect(rows[0]?.text === text).toBe(true)
  await client.end()
})

test('a client gets the parameter crdb_version when it is set', async () => {
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
