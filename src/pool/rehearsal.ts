/** Runs what pg does in a login, without a server, so that Node has compiled it when the first statement needs it. */
import { webcrypto } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { DatabaseClient, DatabaseClientConfig } from './client.ts'

/**
 * What a server answers to the start of a session, and to `select 1`.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
const ANSWERS = [
  'R\0\0\0\x08\0\0\0\0' + 'S\0\0\0\x08a\x001\0' + 'K\0\0\0\x0c\0\0\0\x01\0\0\0\x01' + 'Z\0\0\0\x05I',
  'T\0\0\0\x1a\0\x01a\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0' +
    'D\0\0\0\x0b\0\x01\0\0\0\x011' +
    'C\0\0\0\x0dSELECT 1\0' +
    'Z\0\0\0\x05I',
]

/** A socket for pg that reaches nobody, and answers when it is told to: pg does all the rest at once. */
function deafSocket(): Duplex {
  const socket = new EventEmitter()
  const push = (chunk: Buffer) => socket.emit('data', chunk)
  const itself = () => socket
  // Of a stream, pg and our connection use no more for this.
  const methods = { push, writable: true, connect: itself, setNoDelay: itself, write: itself, destroy: itself }
  return Object.assign(socket, methods) as unknown as Duplex
}

/** A client logs in to nobody, and runs a statement, before this returns. */
export function rehearseStatement(createClient: (config: DatabaseClientConfig) => DatabaseClient): void {
  const socket = deafSocket()
  const [login, row] = ANSWERS.map((answer) => Buffer.from(answer, 'latin1'))
  const client = createClient({
    stream: () => socket,
    ssl: false,
    host: 'localhost',
    user: 'a',
    database: 'a',
    requirements: {},
  })
  client.connect(() => undefined)
  socket.emit('connect')
  socket.push(login)
  void client.probe(1000)
  socket.push(row)
}

/** The steps of SCRAM-SHA-256 as pg takes them with Web Crypto, with a made-up password. */
export async function rehearseScram(): Promise<void> {
  const { subtle } = webcrypto
  const key = await subtle.importKey('raw', new Uint8Array(1), 'PBKDF2', false, ['deriveBits'])
  const params = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(1), iterations: 1 }
  const bits = await subtle.deriveBits(params, key, 256)
  const mac = await subtle.importKey('raw', bits, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  await subtle.digest('SHA-256', await subtle.sign('HMAC', mac, bits))
}
