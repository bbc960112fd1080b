/**
 * A server that logs in by SCRAM-SHA-256, inside TLS where it is asked for it, and answers a few statements; a test has
 * it send something else at one of its stages.
 */
import { createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import type { CertificateAuthority } from '../../local/certificates.ts'
import {
  backendKeyData,
  CANCEL_REQUEST,
  int32,
  type Message,
  MessageSplitter,
  message,
  parameterStatus,
  SSL_REQUEST,
  startupPacketCode,
} from '../../local/cloud/wire-protocol.ts'

/** When it has something to say: to SSLRequest, in the login, on statements; `idle` and `cancel` are silent by themselves. */
export const STAGES = [
  'ssl',
  'sasl',
  'saslContinue',
  'saslFinal',
  'idle',
  'simple',
  'extended',
  'copyIn',
  'copyOut',
  'cancel',
] as const
export type Stage = (typeof STAGES)[number]

/** What to send in place of these messages, before the connection is closed; undefined to go on as usual. */
export type Script = (stage: Stage, messages: readonly Buffer[]) => Buffer | undefined

export const PASSWORD = 'correct horse'
const ITERATIONS = 4096
const OK = message('R', int32(0))
const READY = message('Z', Buffer.from('I'))

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function complete(tag: string): Buffer {
  return message('C', Buffer.from(`${tag}\0`))
}

const COLUMNS = message(
  'T',
  Buffer.concat([int16(1), Buffer.from('n\0'), int32(0), int16(0), int32(25), int16(-1), int32(-1), int16(0)]),
)
const ROW = message('D', Buffer.concat([int16(1), int32(1), Buffer.from('1')]))
const REFUSED = message('E', Buffer.from('SERROR\0C57014\0MCOPY failed\0\0'))

/** What a statement is answered with, by its first word; `extended` when it comes with values. */
const ANSWERS: Readonly<Record<'simple' | 'extended' | 'copyIn' | 'copyOut', readonly Buffer[]>> = {
  simple: [COLUMNS, ROW, complete('SELECT 1'), READY],
  extended: [message('1', Buffer.alloc(0)), message('2', Buffer.alloc(0)), COLUMNS, ROW, complete('SELECT 1'), READY],
  copyIn: [message('G', Buffer.concat([Buffer.from([0]), int16(1), int16(0)]))],
  copyOut: [
    message('H', Buffer.concat([Buffer.from([0]), int16(1), int16(0)])),
    message('d', Buffer.from('1\n')),
    message('c', Buffer.alloc(0)),
    complete('COPY 1'),
    READY,
  ],
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** An authentication request with data behind its number. */
export function authentication(request: number, data = ''): Buffer {
  return message('R', Buffer.concat([int32(request), Buffer.from(data)]))
}

/** One connection, as the server has it. */
class Conversation {
  readonly #socket: Socket
  readonly #script: Script
  readonly #received: string[]
  /** SCRAM's messages so far, without the client's proof. */
  #exchanged: string[] = []

  constructor(socket: Socket, script: Script, received: string[]) {
    this.#socket = socket
    this.#script = script
    this.#received = received
  }

  begin(): void {
    const splitter = new MessageSplitter()
    this.#say('sasl', [authentication(10, 'SCRAM-SHA-256\0\0')])
    this.#socket.on('data', (chunk) => {
      for (const received of splitter.push(chunk)) this.#answer(received)
    })
  }

  /** Sends the messages of a stage, or what the script has in their place. */
  #say(stage: Stage, messages: readonly Buffer[]): void {
    if (this.#socket.writableEnded) return
    const instead = this.#script(stage, messages)
    if (instead === undefined) this.#socket.write(Buffer.concat(messages))
    else this.#socket.end(instead)
  }

  #answer({ type, payload }: Message): void {
    this.#received.push(type)
    if (type === 'p') this.#proceed(payload.toString())
    else if (type === 'f') this.#say('simple', [REFUSED, READY])
    else if (type === 'S') this.#say('extended', ANSWERS.extended)
    else if (type === 'X') this.#socket.end()
    else if (type === 'Q') this.#statement(payload.toString('utf8', 0, payload.length - 1))
  }

  #statement(text: string): void {
    if (text === 'copyIn' || text === 'copyOut') this.#say(text, ANSWERS[text])
    else if (text !== 'sleep') {
      this.#say('simple', ANSWERS.simple)
      setImmediate(() => this.#say('idle', []))
    }
  }

  /** @see https://www.rfc-editor.org/rfc/rfc5802#section-3 */
  #proceed(text: string): void {
    if (this.#exchanged.length === 0) {
      const clientFirst = text.slice(text.indexOf('n=*'))
      const nonce = `${/r=(.*)/.exec(clientFirst)?.[1]}${randomBytes(9).toString('base64')}`
      const serverFirst = `r=${nonce},s=${randomBytes(9).toString('base64')},i=${ITERATIONS}`
      this.#exchanged = [clientFirst, serverFirst]
      this.#say('saslContinue', [authentication(11, serverFirst)])
      return
    }
    const clientFinal = text.slice(0, text.indexOf(',p='))
    const salt = Buffer.from(/s=([^,]*)/.exec(this.#exchanged.join(''))?.[1] ?? '', 'base64')
    const key = hmac(pbkdf2Sync(PASSWORD, salt, ITERATIONS, 32, 'sha256'), 'Server Key')
    const signature = hmac(key, [...this.#exchanged, clientFinal].join(',')).toString('base64')
    this.#say('saslFinal', [
      authentication(12, `v=${signature}`),
      OK,
      parameterStatus('server_version', '18.0'),
      backendKeyData(Buffer.concat([int32(1), int32(2)])),
      READY,
    ])
  }
}

export class ScriptedServer {
  readonly port: number
  /** As root certificate, PEM. */
  readonly certificate: string
  script: Script = () => undefined
  /** How many connections came, and how many of them to cancel a statement. */
  readonly counts = { connections: 0, cancelRequests: 0 }
  /** The types of the messages that came. */
  readonly received: string[] = []
  readonly #server: Server
  readonly #context: SecureContext
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, port: number, certificate: string, context: SecureContext) {
    this.#server = server
    this.port = port
    this.certificate = certificate
    this.#context = context
    server.on('connection', (socket) => this.#serve(socket))
  }

  /** On a free loopback port. */
  static async start(authority: CertificateAuthority): Promise<ScriptedServer> {
    const { certificate: cert, privateKey: key } = await authority.issue({ hosts: ['127.0.0.1'] })
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The server listens on no TCP port')
    return new ScriptedServer(server, address.port, authority.certificate, createSecureContext({ cert, key }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #serve(socket: Socket): void {
    const script: Script = (stage, messages) => this.script(stage, messages)
    this.counts.connections += 1
    this.#sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    socket.once('data', (packet) => {
      if (startupPacketCode(packet) !== SSL_REQUEST) return this.#begin(socket, packet, script)
      const instead = script('ssl', [Buffer.from('S')])
      if (instead !== undefined) return socket.end(instead)
      socket.write('S')
      const encrypted = new TLSSocket(socket, { isServer: true, secureContext: this.#context })
      encrypted.on('error', () => undefined)
      encrypted.once('data', (startup) => this.#begin(encrypted, startup, script))
    })
  }

  #begin(socket: Socket, packet: Buffer, script: Script): void {
    if (startupPacketCode(packet) === CANCEL_REQUEST) {
      this.counts.cancelRequests += 1
      socket.end(script('cancel', []) ?? Buffer.alloc(0))
    } else new Conversation(socket, script, this.received).begin()
  }
}
