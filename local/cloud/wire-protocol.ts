/**
 * As much of PostgreSQL's wire protocol as a proxy reads: start-up packets, message frames, errors, keys.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

/** Codes in the place of a StartupMessage's protocol version. */
export const SSL_REQUEST = 80877103
export const CANCEL_REQUEST = 80877102

/** PostgreSQL's own limit (MAX_STARTUP_PACKET_LENGTH). The first bytes of a TLS hello read as far more. */
const MAX_STARTUP_PACKET_BYTES = 10_000
/** One type letter and an Int32 length. */
const MESSAGE_HEADER_BYTES = 5

/** A StartupMessage: the protocol version and parameters such as `user`, `database`, `options`. */
export interface StartupMessage {
  readonly version: number
  readonly parameters: ReadonlyMap<string, string>
}

/** The fields of an ErrorResponse of severity FATAL. */
export interface FatalError {
  readonly sqlstate: string
  readonly message: string
  readonly detail?: string | undefined
  readonly hint?: string | undefined
}

/** One message after start-up. */
export interface Message {
  /** The protocol's letter, for example `Q`. */
  readonly type: string
  /** What follows the length. */
  readonly payload: Buffer
  /** The whole message. */
  readonly bytes: Buffer
}

/**
 * The length of the start-up packet at the beginning of `bytes`, or undefined while there are fewer than four bytes.
 *
 * @throws RangeError when it cannot be a start-up packet
 */
export function startupPacketLength(bytes: Buffer): number | undefined {
  if (bytes.length < 4) return undefined
  const length = bytes.readInt32BE(0)
  if (length < 8 || length > MAX_STARTUP_PACKET_BYTES) throw new RangeError('invalid length of startup packet')
  return length
}

/** The protocol version of a start-up packet, or `SSL_REQUEST`, `CANCEL_REQUEST` and the like. */
export function startupPacketCode(packet: Buffer): number {
  return packet.readInt32BE(4)
}

export function parseStartupMessage(packet: Buffer): StartupMessage {
  const texts = packet.toString('utf8', 8).split('\0')
  const parameters = new Map<string, string>()
  for (let index = 0; index + 1 < texts.length; index += 2) {
    const [name, value] = [texts[index], texts[index + 1]]
    if (name === undefined || name === '' || value === undefined) break
    parameters.set(name, value)
  }
  return { version: startupPacketCode(packet), parameters }
}

export function startupMessage({ version, parameters }: StartupMessage): Buffer {
  const texts = [...parameters].map(([name, value]) => `${name}\0${value}\0`).join('')
  return withLength(Buffer.concat([int32(version), Buffer.from(`${texts}\0`)]))
}

/** A CancelRequest for the key of a BackendKeyData (process id and secret as they came). */
export function cancelRequest(key: Buffer): Buffer {
  return withLength(Buffer.concat([int32(CANCEL_REQUEST), key]))
}

/** The key that a CancelRequest names. */
export function cancelledKey(packet: Buffer): Buffer {
  return packet.subarray(8)
}

/** The packet that asks for TLS. */
export function sslRequest(): Buffer {
  return withLength(int32(SSL_REQUEST))
}

export function backendKeyData(key: Buffer): Buffer {
  return message('K', key)
}

export function parameterStatus(name: string, value: string): Buffer {
  return message('S', Buffer.from(`${name}\0${value}\0`))
}

export function fatalErrorResponse({ sqlstate, message: text, detail, hint }: FatalError): Buffer {
  const optional = [
    ['D', detail],
    ['H', hint],
  ].flatMap(([type, value]) => (value === undefined ? [] : [`${type}${value}`]))
  const fields = [`SFATAL`, `VFATAL`, `C${sqlstate}`, `M${text}`, ...optional]
  return message('E', Buffer.from(`${fields.join('\0')}\0\0`))
}

/** A client's answer to a request for its password in clear text. */
export function passwordMessage(password: string): Buffer {
  return message('p', Buffer.from(`${password}\0`))
}

/** The SQLSTATE in the payload of an ErrorResponse. */
export function errorSqlstate(payload: Buffer): string | undefined {
  const field = payload
    .toString('latin1')
    .split('\0')
    .find((text) => text.startsWith('C'))
  return field?.slice(1)
}

/** Cuts a stream of bytes into messages, whatever the chunks it comes in. */
export class MessageSplitter {
  #chunks: Buffer[] = []
  #length = 0
  /** How many bytes the next message needs: joining the chunks sooner would copy a large one again and again. */
  #needed = MESSAGE_HEADER_BYTES

  /** The messages that `chunk` completes. */
  push(chunk: Buffer): Message[] {
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#needed) return []
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks)
    const messages: Message[] = []
    let start = 0
    this.#needed = MESSAGE_HEADER_BYTES
    while (bytes.length - start >= MESSAGE_HEADER_BYTES) {
      // The length counts itself, but not the type letter.
      const end = start + 1 + bytes.readInt32BE(start + 1)
      if (end > bytes.length) {
        this.#needed = end - start
        break
      }
      messages.push({
        type: String.fromCharCode(bytes.readUInt8(start)),
        payload: bytes.subarray(start + MESSAGE_HEADER_BYTES, end),
        bytes: bytes.subarray(start, end),
      })
      start = end
    }
    this.#chunks = [bytes.subarray(start)]
    this.#length = bytes.length - start
    return messages
  }
}

export function message(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), withLength(payload)])
}

function withLength(payload: Buffer): Buffer {
  return Buffer.concat([int32(payload.length + 4), payload])
}

/** An Int32 in network byte order. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
