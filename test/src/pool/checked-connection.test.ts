import fc from 'fast-check'
import { Query } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { backendKeyData, int32, message } from '../../../local/cloud/wire-protocol.ts'
import { Database } from '../../../src/database.ts'
import type { DatabaseOptions } from '../../../src/index.ts'
import { authentication, PASSWORD, ScriptedServer, STAGES, type Stage } from '../../support/scripted-server.ts'
import type { Answer, Order, Outcome } from '../../support/survivor.ts'
import { SurvivorProcess } from '../../support/survivor-process.ts'

/** Of the processor, for one order: who loops would have it all. */
const LONGEST_BUSY_MS = 1000

let server: ScriptedServer
let survivor: SurvivorProcess

beforeAll(async () => {
  server = await ScriptedServer.start(await createCertificateAuthority('Scripted CA'))
  survivor = await SurvivorProcess.start()
})

afterAll(async () => {
  // One process lived through all of this file.
  expect(await survivor?.end()).toEqual([0, ''])
  await survivor?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  server.script = () => undefined
  server.received.length = 0
})

function options(changes: DatabaseOptions = {}): DatabaseOptions {
  const { port, certificate: sslrootcert } = server
  return { host: '127.0.0.1', port, user: 'app', password: PASSWORD, dbname: 'app', sslrootcert, max: 1, ...changes }
}

/** Sends something else once, in place of a stage's messages, and closes that connection. */
function sendOnce(at: Stage, change: (messages: readonly Buffer[]) => Buffer): void {
  let isDone = false
  server.script = (stage, messages) => {
    if (isDone || stage !== at) return undefined
    isDone = true
    return change(messages)
  }
}

const STATEMENTS: Readonly<Partial<Record<Stage, Order['statements']>>> = {
  extended: [{ text: 'extended', values: [1] }],
  copyIn: [{ text: 'copyIn' }],
  copyOut: [{ text: 'copyOut' }],
}

async function carryOut(stage: Stage, order: Partial<Order> = {}): Promise<Answer> {
  const statements = STATEMENTS[stage] ?? [{ text: 'simple' }]
  const answer = await survivor.carryOut({ options: options(), statements, ...order })
  expect(answer).toMatchObject({ after: { row: { n: '1' } }, total: 1, waiting: 0 })
  expect(answer.busyMs).toBeLessThan(LONGEST_BUSY_MS)
  return answer
}

function firstOf({ outcomes }: Answer): Outcome | undefined {
  return outcomes[0]
}

const OK = authentication(0)
const READY = message('Z', Buffer.from('I'))
const FIELD = Buffer.concat([Buffer.from('n\0'), Buffer.alloc(18)])

function int16(value: number): Buffer {
  return int32(value).subarray(2)
}

/** A message whose length is not its own. */
function withLength(type: string, length: number): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length)])
}

/** The data of the first message, which is an authentication request. */
function dataOf([request]: readonly Buffer[]): string {
  return request?.toString('utf8', 9) ?? ''
}

describe('a login that cannot be answered is ERR_CONNECT', () => {
  test.each([
    ['Kerberos', authentication(2)],
    ['method 4', authentication(4, '\0\0')],
    ['method 6', authentication(6)],
    ['GSSAPI', authentication(7)],
    ['method 8', authentication(8, 'data')],
    ['SSPI', authentication(9)],
    ['method 4711', authentication(4711)],
    ['method -1', authentication(-1)],
  ])('authentication by %s', async (method, bytes) => {
    sendOnce('sasl', () => bytes)
    expect(firstOf(await carryOut('sasl'))).toMatchObject({
      code: 'ERR_CONNECT',
      message: expect.stringContaining(`asks for authentication by ${method}, which is not supported`),
    })
  })

  test.each<[string, Stage, (data: string) => Buffer, string]>([
    ['no mechanism', 'sasl', () => authentication(10, '\0'), 'Only mechanism(s) SCRAM-SHA-256 are supported'],
    ['an unknown mechanism', 'sasl', () => authentication(10, 'X\0\0'), 'Only mechanism(s) SCRAM-SHA-256 are'],
    ['2,000,000 iterations', 'saslContinue', (data) => continuation(data, 'i', '2000000'), 'iteration count 2000000'],
    [
      '2 ** 31 iterations',
      'saslContinue',
      (data) => continuation(data, 'i', '2147483648'),
      'iteration count 2147483648',
    ],
    ['no iterations', 'saslContinue', (data) => continuation(data, 'i', '0'), 'invalid iteration count'],
    ['an empty salt', 'saslContinue', (data) => continuation(data, 's', ''), 'salt missing'],
    ['a salt that is no base64', 'saslContinue', (data) => continuation(data, 's', '*'), 'salt must be base64'],
    ['another nonce', 'saslContinue', (data) => continuation(data, 'r', 'abc'), 'server nonce does not start'],
    ['no nonce', 'saslContinue', (data) => continuation(data, 'r', ''), 'nonce missing'],
    ['no data', 'saslContinue', () => authentication(11), 'Invalid attribute pair'],
    ['too much data', 'saslContinue', () => authentication(11, 'x'.repeat(2000)), 'which is too long'],
    ['a wrong signature', 'saslFinal', () => final(`v=${'A'.repeat(43)}=`), 'server signature does not match'],
    ['no signature', 'saslFinal', () => final('x='), 'server signature is missing'],
    ['an error', 'saslFinal', () => final('e=other-error'), 'server returned error'],
    ['no SASLFinal', 'saslFinal', () => Buffer.concat([OK, READY]), 'without the proof that it knows the password'],
    [
      'no SASLContinue',
      'saslContinue',
      () => Buffer.concat([OK, READY]),
      'without the proof that it knows the password',
    ],
    ['all at once', 'saslContinue', (data) => Buffer.concat([authentication(11, data), final('v=AA==')]), 'SASL'],
    ['ReadyForQuery in place of SASLContinue', 'saslContinue', () => READY, 'not expected now'],
    ['ReadyForQuery in place of SASLFinal', 'saslFinal', () => READY, 'not expected now'],
    ['SASLContinue first', 'sasl', () => authentication(11, 'r=x'), 'request 11 where it does not belong'],
    ['SASLFinal first', 'sasl', () => authentication(12, 'v=AA=='), 'request 12 where it does not belong'],
    ['SASL twice', 'saslContinue', () => authentication(10, 'SCRAM-SHA-256\0\0'), 'request 10 where it does not'],
    ['a password in clear text after SASL', 'saslContinue', () => authentication(3), 'request 3 where it does not'],
    ['MD5 without salt', 'sasl', () => authentication(5), 'request 5 where it does not belong'],
    ['a session before the login', 'sasl', () => READY, 'not expected now'],
    ['a key before the login', 'sasl', () => backendKeyData(Buffer.alloc(8)), 'not expected now'],
    ['rows in place of a session', 'saslFinal', () => message('T', int16(0)), 'not expected now'],
  ])('SCRAM: %s', async (_, stage, change, text) => {
    sendOnce(stage, (messages) => change(dataOf(messages)))
    const outcome = firstOf(await carryOut(stage))
    expect(outcome).toMatchObject({ code: 'ERR_CONNECT', message: expect.stringContaining(text) })
    expect(JSON.stringify(outcome)).not.toContain(PASSWORD)
  })

  /** SASLContinue with another value of one attribute. */
  function continuation(data: string, name: string, value: string): Buffer {
    return authentication(11, data.replace(new RegExp(`(^|,)${name}=[^,]*`), `$1${name}=${value}`))
  }

  /** The rest of the login, with other data in SASLFinal. */
  function final(data: string): Buffer {
    return Buffer.concat([authentication(12, data), OK, READY])
  }
})

describe('a password in clear text', () => {
  test('is not sent outside TLS: ERR_TLS', async () => {
    sendOnce('sasl', () => authentication(3))
    const answer = await carryOut('sasl', { options: options({ sslmode: 'disable' }) })
    expect(firstOf(answer)).toMatchObject({ code: 'ERR_TLS', message: expect.stringContaining('in clear text') })
  })

  test('is sent inside TLS', async () => {
    sendOnce('sasl', () => authentication(3))
    await carryOut('sasl')
    // Once to the server that hung up, and twice in the login that followed.
    expect(server.received.filter((type) => type === 'p')).toHaveLength(3)
  })
})

/** With the words that name each. */
const MALFORMED: readonly (readonly [string, Buffer, string])[] = [
  [
    'ErrorResponse without its last NUL',
    message('E', Buffer.from('SERROR\0Mno')),
    '"E" and 14 bytes, which is malformed',
  ],
  ['ErrorResponse without its list’s end', message('E', Buffer.from('SERROR\0')), 'which is malformed'],
  ['ErrorResponse with something behind it', message('E', Buffer.from('SERROR\0\0x')), 'which is malformed'],
  ['an empty ErrorResponse', message('E', Buffer.alloc(0)), 'which is malformed'],
  [
    'NoticeResponse without its last NUL',
    message('N', Buffer.from('SNOTICE\0Mno')),
    '"N" and 15 bytes, which is malformed',
  ],
  ['length 3', withLength('E', 3), '"E" and 3 bytes, which is malformed'],
  ['length 0', withLength('E', 0), '"E" and 0 bytes, which is malformed'],
  ['length -1', withLength('E', -1), '"E" and 4294967295 bytes, which is too long'],
  ['length 2 ** 31 - 1', withLength('N', 2 ** 31 - 1), '"N" and 2147483647 bytes, which is too long'],
  ['an unknown type', message('?', Buffer.alloc(4)), '"?" and 8 bytes, which is unknown'],
  ['type 0', Buffer.alloc(5), 'number 0 and 0 bytes, which is unknown'],
  ['an answer in HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n'), '"H"'],
]

describe('a malformed message', () => {
  test.each(MALFORMED)('in the login is ERR_CONNECT: %s', async (_, bytes, text) => {
    sendOnce('saslFinal', () => bytes)
    expect(firstOf(await carryOut('saslFinal'))).toMatchObject({
      code: 'ERR_CONNECT',
      message: expect.stringContaining(text),
    })
  })

  test.each<readonly [string, Buffer, string]>([
    ...MALFORMED,
    ['a row of 2 GB', withLength('D', 2 ** 31 - 1), '"D" and 2147483647 bytes, which is too long'],
    ['-1 columns', message('T', int16(-1)), '"T" and 6 bytes, which is malformed'],
    ['two columns, of which one is there', message('T', Buffer.concat([int16(2), FIELD])), 'which is malformed'],
    [
      'a row without columns',
      message('D', Buffer.concat([int16(1), int32(-1)])),
      '"D" and 10 bytes, which is malformed',
    ],
    ['a row of -1 values', message('D', int16(-1)), 'which is malformed'],
    ['a value of -2 bytes', message('D', Buffer.concat([int16(1), int32(-2)])), 'which is malformed'],
    ['a value that is cut', message('D', Buffer.concat([int16(1), int32(9)])), 'which is malformed'],
    ['-1 parameters', message('t', int16(-1)), 'which is malformed'],
    ['COPY of -1 columns', message('G', Buffer.from([0, 255, 255])), 'which is malformed'],
    ['a request for the password', authentication(3), '"R" and 8 bytes, which is not expected now'],
    ['a tag without its NUL', message('C', Buffer.from('SELECT')), 'which is malformed'],
    ['ReadyForQuery without a status', message('Z', Buffer.alloc(0)), 'which is malformed'],
    ['a notification that is cut', message('A', Buffer.from('\0\0\0\0x')), 'which is malformed'],
    ['half a parameter', message('S', Buffer.from('TimeZone\0UTC')), 'which is malformed'],
    ['half a key', backendKeyData(Buffer.alloc(4)), 'which is malformed'],
  ])('under a statement is ERR_CONNECTION_LOST: %s', async (_, bytes, text) => {
    sendOnce('simple', () => bytes)
    expect(firstOf(await carryOut('simple'))).toMatchObject({
      code: 'ERR_CONNECTION_LOST',
      message: expect.stringContaining(text),
    })
  })

  test.each(MALFORMED)('on an idle connection costs nobody anything: %s', async (_, bytes) => {
    const before = server.counts.connections
    sendOnce('idle', () => bytes)
    await carryOut('idle')
    expect(server.counts.connections - before).toBe(2)
  })

  test.each<[Stage, Buffer]>([
    ['ssl', Buffer.from('E')],
    ['cancel', message('E', Buffer.from('SERROR\0Mno'))],
    ['cancel', authentication(7)],
    ['cancel', withLength('E', 0)],
  ])('in answer to a cancel request ends nothing: %s', async (at, bytes) => {
    const second = server.counts.connections + 2
    server.script = (stage) => (stage === at && server.counts.connections === second ? bytes : undefined)
    const statements = [{ text: 'sleep' }]
    const answer = await carryOut('cancel', { statements, deadlineMs: 700 })
    expect(firstOf(answer)).toMatchObject({ code: 'ERR_DEADLINE' })
  })
})

describe('COPY read by pg-copy-streams, which takes the socket from pg', () => {
  const statements = [{ text: 'copyOut', copies: true }] as const

  test('gives its rows', async () => {
    expect(firstOf(await carryOut('copyOut', { statements }))).toEqual({ row: '1\n' })
  })

  test.each([
    ['length 0', withLength('d', 0), '"d" and 0 bytes, which is malformed'],
    ['a row of 2 GB', withLength('d', 2 ** 31 - 1), '"d" and 2147483647 bytes, which is too long'],
    ['ErrorResponse without its last NUL', message('E', Buffer.from('SERROR\0Mno')), 'which is malformed'],
    ['an unknown type', message('?', Buffer.alloc(0)), 'which is unknown'],
  ])('is refused what is malformed, as pg is: %s', async (_, bytes, text) => {
    sendOnce('copyOut', ([begin = bytes, ...rest]) => Buffer.concat([begin, bytes, ...rest]))
    expect(firstOf(await carryOut('copyOut', { statements }))).toMatchObject({ message: expect.stringContaining(text) })
  })
})

describe('what is thrown over a message ends the connection, and not the process', () => {
  test('by a statement that does not know what is answered', async () => {
    const database = new Database(options())
    const client = await database.getClient()
    const error = await new Promise((resolve) => {
      client.query({
        submit: (connection: { query(text: string): void }) => connection.query('copyIn'),
        handleError: resolve,
      } as unknown as Query)
    })
    expect(error).toMatchObject({
      code: 'ERR_PROTOCOL',
      message: expect.stringMatching(/^what the server sent could not be handled: .* is not a function$/),
    })
    client.release()
    expect(await database.query('simple')).toMatchObject({ rows: [{ n: '1' }] })
    await database.close()
  })

  test('by a listener, whose error is the cause', async () => {
    const database = new Database(options())
    const client = await database.getClient()
    const mistake = new Error('made by the listener')
    const error = await new Promise((resolve) => {
      const query = client.query(new Query('simple'))
      query.on('row', () => {
        throw mistake
      })
      query.on('error', resolve)
    })
    expect(error).toMatchObject({ code: 'ERR_PROTOCOL', cause: mistake })
    client.release()
    await database.close()
  })
})

describe('a server that sends anything at any stage', () => {
  /** What to send in place of some messages. */
  type Change = (messages: readonly Buffer[]) => Buffer

  const types = fc.constantFrom(...'123ACDEGHIKNRSTWZcdnstvVX?'.split(''))
  const lengths = fc.constantFrom(-1, 0, 1, 3, 4, 5, 255, 2 ** 24, 2 ** 31 - 1, -(2 ** 31))

  function bytesOf(messages: readonly Buffer[]): Buffer {
    return Buffer.concat(messages)
  }

  /** Puts something in front of the message at this place. */
  function inserted(messages: readonly Buffer[], at: number, bytes: Buffer): Buffer {
    return Buffer.concat(messages.toSpliced(at % (messages.length + 1), 0, bytes))
  }

  const changes: fc.Arbitrary<Change> = fc.oneof(
    fc.nat().map<Change>((at) => (messages) => bytesOf(messages).subarray(0, at % (bytesOf(messages).length + 1))),
    fc.tuple(fc.nat(), fc.nat(255)).map<Change>(([at, value]) => (messages) => {
      const bytes = bytesOf(messages)
      if (bytes.length > 0) bytes[at % bytes.length] = value
      return bytes
    }),
    fc.tuple(fc.nat(), lengths).map<Change>(([at, length]) => (messages) => {
      const changed = messages.map((bytes) => Buffer.from(bytes))
      const one = changed[at % Math.max(1, changed.length)]
      if (one !== undefined && one.length >= 5) one.writeInt32BE(length, 1)
      return bytesOf(changed)
    }),
    fc.tuple(fc.nat(), types, fc.uint8Array({ maxLength: 40 })).map<Change>(
      ([at, type, payload]) =>
        (messages) =>
          inserted(messages, at, message(type, Buffer.from(payload))),
    ),
    fc.tuple(fc.nat(), fc.integer({ min: -1, max: 14 }), fc.string({ maxLength: 20 })).map<Change>(
      ([at, request, data]) =>
        (messages) =>
          inserted(messages, at, authentication(request, data)),
    ),
    fc.tuple(fc.nat(), types, lengths).map<Change>(
      ([at, type, length]) =>
        (messages) =>
          inserted(messages, at, withLength(type, length)),
    ),
    fc.nat().map<Change>((at) => (messages) => bytesOf(messages.toSpliced(at % Math.max(1, messages.length), 1))),
    fc
      .nat()
      .map<Change>((at) => (messages) => inserted(messages, at, messages[at % Math.max(1, messages.length)] ?? OK)),
    fc.uint8Array({ minLength: 1, maxLength: 60 }).map<Change>((bytes) => () => Buffer.from(bytes)),
  )

  test('has each statement answered or refused, once; the next one gets a connection', async () => {
    const cases = fc.tuple(fc.constantFrom(...STAGES), changes)
    await fc.assert(
      fc.asyncProperty(cases, async ([stage, change]) => {
        sendOnce(stage, change)
        const { outcomes } = await carryOut(
          stage,
          stage === 'cancel' ? { statements: [{ text: 'sleep' }], deadlineMs: 400 } : {},
        )
        expect(outcomes).toHaveLength(1)
        for (const outcome of outcomes) expect(outcome).toSatisfy(isRowOrKnownError)
      }),
      { seed: 20_251_125, numRuns: 150, interruptAfterTimeLimit: 25_000 },
    )
  })

  function isRowOrKnownError(outcome: Outcome): boolean {
    return 'row' in outcome || outcome.name === 'error' || /^ERR_/.test(String(outcome.code))
  }
})
