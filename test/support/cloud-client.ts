/** Clients of the Cloud stand-in: pg, and a bare TLS connection. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import pg from 'pg'
import { expect } from 'vitest'
import { sslRequest } from '../../local/cloud/wire-protocol.ts'
import type { TestCloud } from './database.ts'

/** The first row of a statement on a connection of its own. */
export async function ask(config: pg.ClientConfig, sql = 'select 1 as one'): Promise<unknown> {
  const client = new pg.Client(config)
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<pg.QueryResultRow>(sql)).rows[0]
  } finally {
    await client.end()
  }
}

/** SSLRequest and the handshake, as every client does them. */
export async function openTls(cloud: TestCloud): Promise<TLSSocket> {
  const socket = connect(cloud.standIn.port, '127.0.0.1')
  socket.write(sslRequest())
  expect(String((await once(socket, 'data'))[0])).toBe('S')
  const client = connectTls({ socket, servername: cloud.host, ca: cloud.authority.certificate })
  await once(client, 'secureConnect')
  return client
}
