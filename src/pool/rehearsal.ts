/** Runs what pg does in a login, without a server, so that Node has compiled it when the first statement needs it. */
import { webcrypto } from 'node:crypto'
import { Duplex } from 'node:stream'
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

/** A socket for pg that reaches nobody, and has the answers. */
function answeringSocket(): Duplex {
  let sent = 0
  const socket = new Duplex({
    read: () => undefined,
    write(_chunk, _encoding, done) {
      setImmediate(() => socket.push(Buffer.from(ANSWERS[sent++] ?? '', 'latin1')))
      done()
    },
  })
  const itself = () => socket
  const connect = () => process.nextTick(() => socket.emit('connect'))
  return Object.assign(socket, { connect, setNoDelay: itself, setKeepAlive: itself, ref: itself, unref: itself })
}

/** A client logs in to nobody, and runs a statement. Rejects for nobody to be told. */
export async function rehearseStatement(createClient: (config: DatabaseClientConfig) => DatabaseClient): Promise<void> {
  const client = createClient({
    stream: answeringSocket,
    ssl: false,
    host: 'localhost',
    user: 'a',
    database: 'a',
    requirements: {},
  })
  await client.connect()
  await client.probe(1000)
  client.destroy()
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
