/** Connecting begins while the secret is read, where the environment tells the server; the secret has the last word. */
import { createServer, type Socket } from 'node:net'
import getPort from 'get-port'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { Password } from '../../../src/base/password.ts'
import { attempt, type Dial } from '../../../src/connection/attempt.ts'
import type { Destination } from '../../../src/connection/source.ts'
import type { DatabaseOptions } from '../../../src/index.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

const SECRET_MS = 300

let product: Product
/** What the environment would tell: everything but the password. */
let known: DatabaseOptions

beforeAll(async () => {
  product = await openProduct()
  const { cloud, fields } = product
  known = {
    host: cloud.host,
    port: cloud.standIn.port,
    user: cloud.user,
    dbname: 'defaultdb',
    sslrootcert: String(fields.sslrootcert),
  }
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.secretsManager.delayMs = SECRET_MS
  product.cloud.standIn.resetCounts()
})

/** Sets variables: the secret has precedence over them, but not over options. */
function withVariables<Result>(fields: DatabaseOptions, work: () => Promise<Result>): Promise<Result> {
  const variables = {
    PGHOST: fields.host,
    PGPORT: String(fields.port),
    PGUSER: fields.user,
    PGDATABASE: fields.dbname,
    PGSSLROOTCERT: fields.sslrootcert,
  }
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value
  return work().finally(() => {
    for (const name of Object.keys(variables)) delete process.env[name]
  })
}

test('TLS stands before the secret is there, and the password goes over that connection', async () => {
  const { counts } = product.cloud.standIn
  const answer = product.database(known).query('select current_user as who')
  await expect.poll(() => product.cloud.standIn.counts.tls).toBe(1)
  expect(product.cloud.standIn.counts.authOk).toBe(0)
  expect((await answer).rows).toEqual([{ who: product.cloud.user }])
  expect({ tcp: product.cloud.standIn.counts.tcp, logins: product.cloud.standIn.counts.logins }).toEqual({
    tcp: 1,
    logins: 1,
  })
  expect(counts.tcp).toBe(1)
})

test('the health report names the secret’s version all the same', async () => {
  const report = await product.database(known).healthCheck()
  expect(report).toMatchObject({ ok: true, secret: { versionStage: 'AWSCURRENT', versionId: expect.any(String) } })
})

test('a secret that names another server wins, and the first one never sees its password', async () => {
  const sockets: Socket[] = []
  const received: Buffer[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined).on('data', (chunk) => received.push(chunk))
  })
  const port = await getPort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const rows = await withVariables(
    { ...known, host: '127.0.0.1', port },
    async () => (await product.database().query('select current_user as who')).rows,
  )
  await expect.poll(() => sockets.every((socket) => socket.destroyed || socket.readableEnded)).toBe(true)
  server.close()
  expect(rows).toEqual([{ who: product.cloud.user }])
  // The eight bytes of an SSLRequest, and nothing behind them.
  expect({ connections: sockets.length, bytes: Buffer.concat(received).length }).toEqual({ connections: 1, bytes: 8 })
})

test('a secret that names another user wins', async () => {
  const rows = await withVariables(
    { ...known, user: 'somebody' },
    async () => (await product.database().query('select current_user as who')).rows,
  )
  expect(rows).toEqual([{ who: product.cloud.user }])
})

test('a secret that has another root certificate has precedence', async () => {
  const { certificate } = await createCertificateAuthority('Another')
  const rows = await withVariables(
    { ...known, sslrootcert: certificate },
    async () => (await product.database().query('select 1 as one')).rows,
  )
  expect(rows).toEqual([{ one: 1 }])
})

test('a secret that cannot be read is the error, and no connection is left', async () => {
  const database = product.database({ ...known, secretId: 'absent' })
  expect(await rejection(database.query('select 1'))).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  await expect.poll(() => database.getPool().totalCount).toBe(0)
})

test('a wrong password is refused once, as without an early start', async () => {
  product.secretsManager.secrets.create('early/wrong', JSON.stringify({ ...product.fields, password: 'wrong' }))
  const error = await rejection(product.database({ ...known, secretId: 'early/wrong' }).query('select 1'))
  expect([error.code, product.cloud.standIn.counts.logins]).toEqual(['ERR_AUTHENTICATION', 1])
})

test('a server that is down is the error, with its own reason', async () => {
  const error = await rejection(
    product.database({ ...known, port: await getPort(), connect_timeout: 1 }).query('select 1'),
  )
  expect(error).toMatchObject({ code: 'ERR_CONNECT', cause: { code: 'ECONNREFUSED' } })
})

describe('an attempt begun before the secret was read', () => {
  const rootCertificate = { origin: 'node', path: undefined, ca: undefined, warnings: [] } as const
  const parameters = { host: 'db', port: 26257, dbname: 'app', user: 'app', sslmode: 'verify-full' } as const
  const destination: Destination = { parameters, rootCertificate, clientCertificate: undefined }
  const secretOf = (named: Destination) =>
    Promise.resolve({ ...named, password: new Password('p4ssw0rd'), secret: undefined, isForSnapshot: false })

  test('logs in with the password when the secret names the same', async () => {
    const dial: Dial<string | undefined> = async (_, resolve) => (await resolve()).password?.reveal()
    const outcome = await attempt(dial, { destination, reading: secretOf({ ...destination }) })
    expect(outcome).toMatchObject({ kind: 'connected', client: 'p4ssw0rd' })
  })

  test.each<[string, Destination]>([
    ['host', { ...destination, parameters: { ...parameters, host: 'other' } }],
    ['port', { ...destination, parameters: { ...parameters, port: 5432 } }],
    ['database', { ...destination, parameters: { ...parameters, dbname: 'other' } }],
    ['user', { ...destination, parameters: { ...parameters, user: 'other' } }],
    ['root certificate', { ...destination, rootCertificate: { ...rootCertificate } }],
  ])('is dropped, and not given the password, when the secret names another %s', async (_, named) => {
    const dialled: { given?: unknown; signal?: AbortSignal } = {}
    const dial: Dial<void> = async (_destination, resolve, signal) => {
      dialled.signal = signal
      dialled.given = await resolve().catch((error: unknown) => error)
    }
    expect(await attempt(dial, { destination, reading: secretOf(named) })).toEqual({ kind: 'namesAnotherDestination' })
    expect(dialled.signal?.aborted).toBe(true)
    await expect.poll(() => dialled.given).toBeInstanceOf(Error)
  })
})
