/** Logins with a client certificate, at a PostgreSQL whose users have the method `cert`. */
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { connect, createServer } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { ExtendedKeyUsage } from '@peculiar/x509'
import pgNewest from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Database } from '../../src/database.ts'
import type { DatabaseOptions } from '../../src/index.ts'
import { type CertificateServer, openCertificateServer, type Pair } from '../support/certificate-server.ts'
import { runCommand } from '../support/command-line.ts'
import { inInvocation } from '../support/invocation.ts'
import { printed, rejection } from '../support/product.ts'
import { makeCertificate } from '../support/tls-server.ts'

const pgOldest: object = createRequire(import.meta.url)('pg-oldest')

let stage: CertificateServer
let app: Pair
const databases: Database[] = []

beforeAll(async () => {
  stage = await openCertificateServer()
  app = await stage.issue('app')
})

afterEach(async () => {
  await Promise.all(databases.splice(0).map((database) => database.close()))
})

afterAll(() => stage?.[Symbol.asyncDispose]())

function open({ cert, key }: Pair, options: DatabaseOptions = {}): Database {
  const { user = 'app' } = options
  const database = new Database({ ...stage.login(user), sslcert: cert, sslkey: key, ...options })
  databases.push(database)
  return database
}

/** In front of the server: ends TLS, and lets nobody through without a certificate, whatever comes inside. */
async function startStrictProxy(): Promise<AsyncDisposable & { port: number; names: unknown[] }> {
  const names: unknown[] = []
  const { cert, key } = stage.serverPair
  const secureContext = createSecureContext({ cert, key, ca: stage.authority.certificate.toString('pem') })
  const server = createServer((plain) => {
    plain.on('error', () => undefined)
    plain.once('data', () => {
      plain.write('S')
      const outer = new TLSSocket(plain, { isServer: true, secureContext, requestCert: true, rejectUnauthorized: true })
      outer.on('error', () => undefined)
      outer.once('secure', () => {
        if (outer.getPeerCertificate().subject === undefined) return void outer.destroy()
        names.push(outer.getPeerCertificate().subject.CN)
        const inner = connect(stage.server.port, '127.0.0.1')
        inner.on('error', () => undefined)
        outer.pipe(inner).pipe(outer)
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: Object(server.address()).port,
    names,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

/** Lines of the key's text: each is enough to be a leak. */
const linesOf = (key: string) => key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))

function expectHidden(key: string, ...values: unknown[]): void {
  for (const value of values) for (const line of linesOf(key)) expect(printed(value)).not.toContain(line)
}

describe.each([
  ['newest', pgNewest],
  ['oldest', pgOldest],
])('with the %s pg', (_, pg) => {
  test('the user of the certificate logs in without a password, and its key is in nothing that can be printed', async () => {
    const database = open(app, { pg })
    const client = await database.getClient()
    const { rows } = await client.query(
      'select current_user as user, client_dn from pg_stat_ssl where pid = pg_backend_pid()',
    )
    expect(rows).toEqual([{ user: 'app', client_dn: '/CN=app' }])
    expectHidden(app.key, client, database.getPool(), database, await database.healthCheck().catch((error) => error))
    client.release()
  })

  test('the cancel request at the deadline has the certificate too', async () => {
    await using proxy = await startStrictProxy()
    const { user, password, port } = stage.server.superuserConfig()
    const database = open(app, { pg, port: proxy.port, user, password })
    expect(port).not.toBe(proxy.port)
    const error = await rejection(inInvocation(2000, () => database.query('select pg_sleep(60)')))
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', message: expect.stringContaining('was cancelled') })
    const sleeping =
      "select count(*)::int as count from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
    await expect.poll(() => stage.server.query(sleeping), { timeout: 5000 }).toEqual([{ count: 0 }])
    expect(proxy.names).toEqual(['app', 'app'])
  })
})

test('a chain is sent whole, whatever its order', async () => {
  const { authority } = stage
  const between = await makeCertificate({ name: 'Between', isAuthority: true, signer: authority })
  const { cert, key } = await stage.issue('app', { signer: between }, between)
  const [leaf = '', authorityBetween = ''] = cert.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----/g) ?? []
  for (const chain of [`${leaf}\n${authorityBetween}`, `${authorityBetween}\n${leaf}`]) {
    const { rows } = await open({ cert: chain, key }).query('select current_user as user')
    expect(rows).toEqual([{ user: 'app' }])
  }
  const { code, hint } = await rejection(open({ cert: leaf, key }).query('select 1'))
  expect({ code, hint }).toEqual({
    code: 'ERR_AUTHENTICATION',
    hint: expect.stringContaining('sslcert hold those between'),
  })
})

describe('refused by the server:', () => {
  test.each<[string, () => Promise<Pair>, string]>([
    [
      'of another authority',
      async () => stage.issue('app', { signer: await makeCertificate({ name: 'Other', isAuthority: true }) }),
      'The client certificate of "app" is refused: does the server know its authority',
    ],
    [
      'that expired',
      () => stage.issue('app', { validForDays: [-9, -1] }),
      'The client certificate of "app" expired on ',
    ],
    [
      'of tomorrow',
      () => stage.issue('app', { validForDays: [1, 9] }),
      'The client certificate of "app" is not valid before ',
    ],
    ['of another user', () => stage.issue('other'), 'The client certificate of "other" is not of user "app"'],
    [
      'for servers',
      () => stage.issue('app', { purpose: ExtendedKeyUsage.serverAuth }),
      'is refused: does the server know its authority',
    ],
  ])('one %s is ERR_AUTHENTICATION, with a hint', async (_, issue, hint) => {
    const pair = await issue()
    const error = await rejection(open(pair).query('select 1'))
    expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', hint: expect.stringContaining(hint) })
    expectHidden(pair.key, error)
    const blocked = await rejection(open(pair).query('select 1'))
    expect(blocked.message).toMatch(
      /^the server refused this certificate for user "app"; it is not tried again for \d+ s$/,
    )
  })

  test('without one, a user who needs one is told so', async () => {
    const database = new Database({ ...stage.login('app'), password: 'password of app' })
    databases.push(database)
    expect(await rejection(database.query('select 1'))).toMatchObject({
      ...{ code: 'ERR_AUTHENTICATION', hint: 'The server wants a client certificate: set sslcert and sslkey.' },
    })
  })
})

test('a user who needs a password as well is told so without one, and logs in with both', async () => {
  const both = await stage.issue('both')
  expect(await rejection(open(both, { user: 'both' }).query('select 1'))).toMatchObject({
    ...{ code: 'ERR_CONFIG', message: 'localhost asks for a password, and there is none' },
    hint: expect.stringContaining('the client certificate does not suffice'),
  })
  const { rows } = await open(both, { user: 'both', password: 'password of both' }).query('select current_user as user')
  expect(rows).toEqual([{ user: 'both' }])
})

test('after a refused certificate another one is tried at once', async () => {
  const expired = await stage.issue('app', { validForDays: [-9, -1] })
  await rejection(open(expired).query('select 1'))
  expect((await open(app).query('select 1')).rowCount).toBe(1)
})

describe('the command', () => {
  /** With the pair as text in the environment; no line of the key is in its output. */
  async function run(pair: Pair, ...words: string[]) {
    const { host, port, user, dbname, sslrootcert } = stage.login()
    const variables = {
      PGHOST: host,
      PGPORT: String(port),
      PGUSER: user,
      PGDATABASE: dbname,
      PGSSLROOTCERT: sslrootcert,
    }
    const environment = { ...variables, HOME: '/nonexistent', PGSSLCERT: pair.cert, PGSSLKEY: pair.key }
    return runCommand(words, { environment, secrets: linesOf(pair.key) })
  }

  test('doctor reads certificate and key, and logs in', async () => {
    const { code, stdout } = await run(app, 'doctor')
    expect(stdout).toMatch(/client certificate +"app", 29 days left, with its key/)
    expect(code).toBe(0)
  })

  test('doctor stops at a key of another certificate, and says what to do', async () => {
    const { code, stdout } = await run({ ...app, key: (await stage.issue('app')).key }, 'doctor')
    expect(stdout).toMatch(/✗ client certificate +sslkey \(PGSSLKEY\) and sslcert \(PGSSLCERT\) cannot be used/)
    expect(code).toBe(7)
  })

  test('doctor says of which name a refused certificate is', async () => {
    const { stdout } = await run(await stage.issue('other'), 'doctor')
    expect(stdout).toMatch(/warning: it is of "other"/)
    expect(stdout.replace(/\s+/g, ' ')).toContain('is not of user "app"')
  })

  test('url writes no key, and says that libpq needs files', async () => {
    const { stdout, stderr } = await run(app, 'url', '--show')
    expect(stdout).not.toContain('sslkey')
    expect(stderr.replace(/\s+/g, ' ')).toContain('The client certificate or its key is text')
  })
})
