import { Socket } from 'node:net'
import fc from 'fast-check'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { int32, message } from '../../../local/cloud/wire-protocol.ts'
import { checkedConnectionClass } from '../../../src/pool/checked-connection.ts'
import type { Pg } from '../../../src/pool/pg.ts'
import { ServerMessages } from '../../../src/pool/server-messages.ts'
import { authentication } from '../../support/scripted-server.ts'

const CheckedConnection = checkedConnectionClass((pg as unknown as Pg).Connection)
const READY = message('Z', Buffer.from('I'))
const LOGIN = Buffer.concat([authentication(0), READY])
const COLUMN = Buffer.concat([Buffer.from('n\0'), Buffer.alloc(18)])
const MIB = 2 ** 20

function int16(value: number): Buffer {
  return int32(value).subarray(2)
}

function texts(...parts: readonly string[]): Buffer {
  return Buffer.from(parts.map((part) => `${part}\0`).join(''))
}

/** Each message that a server may send once the login is over, whole. */
const WHOLE: readonly Buffer[] = [
  ...['1', '2', '3', 'I', 'c', 'n', 's'].map((type) => message(type, Buffer.alloc(0))),
  message('K', Buffer.alloc(8)),
  message('S', texts('TimeZone', 'UTC')),
  message('E', texts('SERROR', 'C57014', 'Mno', '')),
  message('N', texts('')),
  message('A', Buffer.concat([int32(7), texts('channel', '')])),
  message('C', texts('SELECT 2')),
  message('T', Buffer.concat([int16(2), COLUMN, COLUMN])),
  message('D', Buffer.concat([int16(2), int32(-1), int32(3), Buffer.from('abc')])),
  message('t', Buffer.concat([int16(2), int32(25), int32(20)])),
  ...['G', 'H', 'W'].map((type) => message(type, Buffer.concat([Buffer.from([0]), int16(1), int16(0)]))),
  message('d', Buffer.from('1\t2\n')),
  READY,
]

function loggedIn(): ServerMessages {
  const messages = new ServerMessages(true)
  messages.take(LOGIN)
  return messages
}

/** Cuts bytes at these places, each counted from the one before. */
function chunksOf(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

describe('messages that are whole', () => {
  test('are given on as they came, in whatever chunks', () => {
    const bytes = Buffer.concat(WHOLE)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 9 }), (sizes) => {
        const messages = loggedIn()
        const given = chunksOf(bytes, sizes).map((chunk) => messages.take(Buffer.from(chunk)) ?? Buffer.alloc(0))
        expect(Buffer.concat(given)).toEqual(bytes)
      }),
      { seed: 11, numRuns: 200 },
    )
  })

  test('are given on only when they are complete', () => {
    const messages = loggedIn()
    expect(messages.take(READY.subarray(0, 3))).toBeUndefined()
    expect(messages.take(Buffer.concat([READY.subarray(3), READY.subarray(0, 1)]))).toEqual(READY)
    expect(messages.take(READY.subarray(1))).toEqual(READY)
  })

  test('do not change afterwards, whatever comes', () => {
    const messages = loggedIn()
    messages.take(READY.subarray(0, 3))
    const given = messages.take(Buffer.concat([READY.subarray(3), READY.subarray(0, 2)]))
    messages.take(READY.subarray(2))
    expect(given).toEqual(READY)
  })

  test('of 16 MiB in chunks of 100 bytes take one pass over the bytes, not one for each chunk', () => {
    const messages = loggedIn()
    const bytes = message('E', Buffer.concat([Buffer.alloc(16 * MIB - 100, 'x'), texts('', '')]))
    const before = process.cpuUsage()
    expect(
      chunksOf(bytes, [100])
        .map((chunk) => messages.take(chunk))
        .findLast((given) => given),
    ).toHaveLength(bytes.length)
    // Copying what is there for each of 168,000 chunks takes minutes.
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000)
  })
})

describe('what is refused', () => {
  const withFields = WHOLE.map((bytes) => [bytes.toString('latin1', 0, 1), bytes.subarray(5)] as const)
    // Anything is data of COPY.
    .filter(([type, payload]) => payload.length > 0 && type !== 'd')

  test.each(withFields)('a message of type %s that is one byte too short, and one too long', (type, payload) => {
    const columns = message('T', Buffer.concat([int16(2), COLUMN, COLUMN]))
    for (const wrong of [payload.subarray(0, -1), Buffer.concat([payload, Buffer.from([1])])]) {
      const bytes = Buffer.concat([columns, message(type, wrong), READY])
      expect(() => loggedIn().take(bytes)).toThrow('which is malformed')
    }
  })

  test.each([
    ['E', 16 * MIB],
    ['S', 16 * MIB],
    ['D', 1024 * MIB],
    ['d', 1024 * MIB],
  ])('a message of type %s longer than %i bytes, as soon as its length is there', (type, limit) => {
    const header = (length: number): Buffer => Buffer.concat([Buffer.from(type), int32(length)])
    expect(loggedIn().take(header(limit))).toBeUndefined()
    expect(() => loggedIn().take(header(limit + 1))).toThrow(`"${type}" and ${limit + 1} bytes, which is too long`)
  })
})

describe('pg, behind it', () => {
  /** What a socket tells pg. */
  function readBy(bytes: Buffer, sizes: readonly number[]): Error | undefined {
    const connection = new CheckedConnection({ ssl: false })
    const socket = new Socket()
    let error: Error | undefined
    socket.on('error', (each) => {
      error = each
    })
    connection.attachListeners(socket)
    for (const chunk of chunksOf(Buffer.concat([LOGIN, bytes]), sizes)) socket.push(chunk)
    return socket.errored ?? error
  }

  test('is never given what it throws over, or reads for ever', () => {
    const whole = fc.constantFrom(...WHOLE)
    const flipped = fc.tuple(whole, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      const changed = Buffer.from(bytes)
      changed[at % changed.length] = value
      return changed
    })
    const cut = fc.tuple(whole, fc.nat()).map(([bytes, at]) => bytes.subarray(0, at % bytes.length))
    const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes))
    const messages = fc.array(fc.oneof({ weight: 4, arbitrary: whole }, flipped, cut, noise), { maxLength: 12 })
    const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(messages, sizes, (each, chunks) => {
        const error = readBy(Buffer.concat(each), chunks)
        expect(error?.message ?? 'read').toMatch(/^(read$|the server sent a message of type )/)
      }),
      { seed: 12, numRuns: 5000, interruptAfterTimeLimit: 15_000 },
    )
  })
})
