/** A server that is silent, or repeats what it heard: nothing of a password can be printed, at any stage of a login. */
import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import pg from 'pg'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { createDatabase, type Database } from '../../../src/index.ts'
import { databaseClientClass } from '../../../src/pool/client-class.ts'
import { hidePassword } from '../../../src/pool/hidden-password.ts'
import type { ClientInternals, Pg } from '../../../src/pool/pg.ts'

const PASSWORD = 'Zq7"k W2/v+N9%x'
const bytes = Buffer.from(PASSWORD)
const FORMS = [
  ...[PASSWORD, JSON.stringify(PASSWORD).slice(1, -1), inspect(PASSWORD).slice(1, -1), encodeURIComponent(PASSWORD)],
  ...[bytes.toString('hex'), bytes.toString('base64').slice(0, 12), [...bytes].join(', ')],
  bytes.toString('hex').replace(/..(?!$)/g, '$& '),
]

function printed(value: unknown): string {
  const options = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null }
  return inspect(value, options)
}

function expectHidden(...values: unknown[]): void {
  for (const value of values) {
    const text = printed(value)
    for (const form of FORMS) expect(text.includes(form), `shows ${form}`).toBe(false)
  }
}

/** A message of the protocol: type, length, parts. */
function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)))
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

function int(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

const OK = message('R', int(0))
const READY = message('Z', Buffer.from('I'))
const CLEAR_TEXT = message('R', int(3))
const MD5 = message('R', int(5), Buffer.from('salt'))
const SASL = message('R', int(10), 'SCRAM-SHA-256', Buffer.alloc(1))

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** The next two answers of SCRAM-SHA-256. @see https://www.rfc-editor.org/rfc/rfc5802 */
function scram(): readonly ((heard: string) => Buffer)[] {
  const salt = randomBytes(8)
  let authMessage = ''
  return [
    (heard) => {
      const bare = heard.slice(heard.indexOf('n=*'))
      const first = `r=${bare.slice(bare.indexOf('r=') + 2)}more,s=${salt.toString('base64')},i=4096`
      authMessage = `${bare},${first},c=biws,${first.split(',')[0]}`
      return message('R', int(11), Buffer.from(first))
    },
    () => {
      const salted = pbkdf2Sync(PASSWORD, salt, 4096, 32, 'sha256')
      const signature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
      return message('R', int(12), Buffer.from(`v=${signature}`))
    },
  ]
}

let server: Server
let port = 0
let database: Database

/** Inside TLS, where a password is sent in clear text to a server that asks for it. */
const { certificate: ca, issue } = await createCertificateAuthority('Hidden Password CA')
const { certificate: cert, privateKey: key } = await issue({ hosts: ['127.0.0.1'] })
const secureContext = createSecureContext({ cert, key })

const login = () => ({ host: '127.0.0.1', port, user: 'app', database: 'orders' })

const sockets = new Set<Socket>()

/** Answers each message it hears with the next of `answers`, and then nothing more; `heard` counts the messages. */
async function serve(answers: readonly (Buffer | ((heard: string) => Buffer))[]): Promise<{ heard: number }> {
  const told = { heard: 0 }
  server = createServer((plain) => {
    sockets.add(plain)
    let next = 0
    plain.on('error', () => undefined)
    plain.once('data', () => {
      plain.write('S')
      const socket = new TLSSocket(plain, { isServer: true, secureContext })
      socket.on('error', () => undefined)
      socket.on('data', (data) => {
        const answer = answers[next]
        next += 1
        if (answer !== undefined) socket.write(typeof answer === 'function' ? answer(data.toString()) : answer)
        told.heard += 1
      })
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no TCP port')
  port = address.port
  const { database: dbname, ...target } = login()
  database = createDatabase({
    ...{ ...target, dbname, password: PASSWORD },
    ...{ connect_timeout: 20, sslrootcert: ca },
  })
  return told
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  // Some tests need neither.
  server?.close()
  await database?.close()
})

const [first = () => OK, final = () => OK] = scram()

describe('while a server lets wait, neither pool nor client show the password:', () => {
  test.each<[string, readonly (Buffer | ((heard: string) => Buffer))[], number]>([
    ['before it asks for one', [], 1],
    ['after it heard one in clear text', [CLEAR_TEXT], 2],
    ['after it heard an MD5 hash', [MD5], 2],
    ['in the midst of SCRAM', [SASL], 2],
    ['after the proof of SCRAM', [SASL, first], 3],
    ['after it accepted it', [CLEAR_TEXT, OK], 2],
    ['after it accepted the proof', [SASL, first, (heard) => Buffer.concat([final(heard), OK])], 3],
  ])('%s', async (_, answers, messages) => {
    const told = await serve(answers)
    const client = new (databaseClientClass(pg as unknown as Pg))({
      ...login(),
      ssl: { ca, host: login().host },
      password: async () => PASSWORD,
    })
    const pool = database.getPool()
    for (const open of [() => client.connect(), () => database.query('select 1')]) {
      told.heard = 0
      const failed = open().catch((error: unknown) => error)
      await vi.waitFor(() => expect(told.heard).toBe(messages), 10_000)
      // What was answered last has been read when the event loop has gone round.
      await new Promise((resolve) => setImmediate(resolve))
      expectHidden(client, pool, database)
      for (const socket of sockets) socket.destroy()
      expectHidden(await failed, client, pool)
    }
  })

  test('after the login', async () => {
    await serve([CLEAR_TEXT, Buffer.concat([OK, READY])])
    const client = await database.getClient()
    expectHidden(client, database.getPool())
    expect([Reflect.get(client, 'password'), Reflect.get(client, 'connectionParameters').password]).toEqual([
      null,
      null,
    ])
    client.release(true)
  })
})

/** pg's client, which asks for its password as pg does when a server asks: what it is told, it keeps. */
class AskingClient {
  password: unknown = async () => PASSWORD
  readonly connection = new EventEmitter()
  readonly connectionParameters: { password: unknown } = { password: PASSWORD }

  constructor() {
    hidePassword(this as unknown as ClientInternals)
  }

  async ask(): Promise<unknown> {
    const { password } = this
    if (typeof password !== 'function') return password
    return Promise.resolve()
      .then(() => password())
      .then((told) => {
        this.connectionParameters.password = told
        this.password = told
        return told
      })
  }
}

describe('pg’s client', () => {
  const others = [
    ['process.nextTick()', (callback: () => void) => process.nextTick(callback)],
    ['setImmediate()', (callback: () => void) => setImmediate(callback)],
    ['setTimeout()', (callback: () => void) => setTimeout(callback, 1)],
  ] as const

  test.each(others)('has told the password, and shows it to no callback of %s', async (_name, later) => {
    const client = new AskingClient()
    expectHidden(client)
    const told = await client.ask()
    await new Promise<void>(later)
    expectHidden(client)
    client.connection.emit('authenticationSASLContinue')
    const again = client.password
    await new Promise<void>(later)
    expectHidden(client)
    expect([told, again]).toEqual([PASSWORD, PASSWORD])
  })

  test.each(['readyForQuery', 'end'])('knows no password after %s, also if it was still asking', async (event) => {
    const client = new AskingClient()
    await client.ask()
    const asking = client.ask()
    client.connection.emit(event)
    await asking
    await new Promise((resolve) => process.nextTick(resolve))
    expect([client.password, client.connectionParameters.password]).toEqual([null, null])
    client.connection.emit('authenticationSASLContinue')
    expect(client.password).toBeUndefined()
  })
})

const echo = (type: string, heard: string) =>
  message(type, 'SFATAL', 'C28P01', `Mwrong: ${heard}`, `D${heard}`, `H${encodeURIComponent(heard)}`, Buffer.alloc(1))
const passwordIn = (heard: string) => heard.slice(5, -1)

describe('a server that repeats the password', () => {
  test('in its refusal, is quoted without it in the error and the health report', async () => {
    await serve([CLEAR_TEXT, (heard) => echo('E', passwordIn(heard))])
    const error: unknown = await database.query('select 1').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', message: /wrong: \[redacted\] \(28P01\)$/ })
    expectHidden(error, await database.healthCheck())
  })

  test('as its version and in notices, is reported without it', async () => {
    await serve([
      CLEAR_TEXT,
      (heard) => {
        const version = message('S', 'server_version', `18 of ${passwordIn(heard)}`)
        return Buffer.concat([OK, echo('N', passwordIn(heard)), version, READY])
      },
      Buffer.concat([message('C', 'SELECT 1'), READY]),
    ])
    const report = await database.healthCheck()
    expect(report).toMatchObject({ ok: true, server: { name: 'PostgreSQL', version: '18 of [redacted]' } })
    expectHidden(report, database.getPool())
  })

  test('in its answer to the statement of a health check, is reported without it', async () => {
    let password = ''
    await serve([
      CLEAR_TEXT,
      (heard) => {
        password = passwordIn(heard)
        return Buffer.concat([OK, READY])
      },
      () =>
        Buffer.concat([
          message('E', 'SERROR', 'C42P01', `M${password}${'x'.repeat(2_000_000)}`, Buffer.alloc(1)),
          READY,
        ]),
    ])
    const report = await database.healthCheck()
    expect(report).toMatchObject({
      ok: false,
      error: { code: '42P01', message: /^\[redacted\]x+… \(2000015 characters\)$/ },
    })
    expectHidden(report)
  })
})

test('of a flood of parameters and notices a client keeps nothing', async () => {
  const flood = Array.from({ length: 5000 }, (_, index) => [
    message('S', `parameter_${index}`, `kept${'x'.repeat(400)}`),
    message('N', 'SNOTICE', 'C00000', `Mkept${'x'.repeat(400)}`, Buffer.alloc(1)),
  ])
  const long = message('S', 'server_version', `kept${'1'.repeat(1_000_000)}`)
  await serve([CLEAR_TEXT, Buffer.concat([OK, ...flood.flat(), long, READY])])
  const client = await database.getClient()
  expect(printed(client)).not.toContain('kept')
  expect(client.serverParameter('parameter_1')).toBeUndefined()
  expect(client.serverParameter('server_version')).toBeUndefined()
  client.release()
})
