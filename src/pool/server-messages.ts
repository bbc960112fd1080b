/**
 * Checks what a server sends before pg reads it: pg trusts every length, and one wrong byte ends the process, blocks it,
 * or has it wait for gigabytes.
 */
import { LoginOrder, type LoginRequirements } from './login-order.ts'
import { isKnownType, isWhole } from './message-layout.ts'
import { ProtocolError } from './protocol-error.ts'

/** Type and length. */
const HEADER_BYTES = 5
const MIB = 2 ** 20
/** As libpq has it for the requests of a login. */
const LONGEST_REQUEST_BYTES = 2000
/** Rows and COPY: PostgreSQL has no longer values. */
const LONGEST_DATA_BYTES = 1024 * MIB
/** All else: an error text or a list of columns is shorter by far. */
const LONGEST_BYTES = 16 * MIB

const NOTHING: Buffer = Buffer.alloc(0)

function longest(type: string): number {
  if (type === 'R') return LONGEST_REQUEST_BYTES
  return type === 'D' || type === 'd' ? LONGEST_DATA_BYTES : LONGEST_BYTES
}

/** @param length as the message has it, which does not count its type */
function refused(type: string, length: number, what: string): ProtocolError {
  const shown = /[!-~]/.test(type) ? `"${type}"` : `number ${type.charCodeAt(0)}`
  return new ProtocolError(`the server sent a message of type ${shown} and ${length} bytes, which is ${what}`)
}

export class ServerMessages {
  readonly #order: LoginOrder
  /** The beginning of a message, in as many bytes as counted, with room behind it. */
  #kept = NOTHING
  #keptBytes = 0
  /** Before there are as many, nothing more can be said about it. */
  #neededBytes = HEADER_BYTES
  /** As the last RowDescription has it. */
  #columnCount = 0

  constructor(isEncrypted: boolean, requirements: LoginRequirements = {}) {
    this.#order = new LoginOrder(isEncrypted, requirements)
  }

  /**
   * The messages that are complete with this chunk; undefined while there are none.
   *
   * @throws ProtocolError, ConnectionError `ERR_TLS`: nothing more must be read from this server.
   */
  take(chunk: Buffer): Buffer | undefined {
    const bytes = this.#keptBytes === 0 ? chunk : this.#append(chunk)
    if (this.#keptBytes > 0 && bytes.length < this.#neededBytes) return undefined
    let at = 0
    let end = this.#end(bytes, at)
    while (end <= bytes.length) {
      this.#check(bytes, at, end)
      at = end
      end = this.#end(bytes, at)
    }
    this.#neededBytes = end - at
    this.#kept = at === bytes.length ? NOTHING : bytes.subarray(at)
    this.#keptBytes = this.#kept.length
    if (at === bytes.length) return bytes
    return at === 0 ? undefined : bytes.subarray(0, at)
  }

  /** Doubles the room, so that many small chunks are not copied each time. */
  #append(chunk: Buffer): Buffer {
    const length = this.#keptBytes + chunk.length
    if (length > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#kept.length))
      this.#kept.copy(larger, 0, 0, this.#keptBytes)
      this.#kept = larger
    }
    chunk.copy(this.#kept, this.#keptBytes)
    this.#keptBytes = length
    return this.#kept.subarray(0, length)
  }

  /** Where the message at `at` ends, as far as its header is there. */
  #end(bytes: Buffer, at: number): number {
    if (bytes.length < at + HEADER_BYTES) return at + HEADER_BYTES
    const type = String.fromCharCode(bytes.readUInt8(at))
    const length = bytes.readUInt32BE(at + 1)
    if (!isKnownType(type)) throw refused(type, length, 'unknown')
    if (!this.#order.admits(type)) throw refused(type, length, 'not expected now')
    if (length < 4) throw refused(type, length, 'malformed')
    if (length > longest(type)) throw refused(type, length, 'too long')
    return at + 1 + length
  }

  #check(bytes: Buffer, at: number, end: number): void {
    const type = String.fromCharCode(bytes.readUInt8(at))
    const start = at + HEADER_BYTES
    const length = end - at - 1
    if (!isWhole(type, bytes, start, end)) throw refused(type, length, 'malformed')
    if (type === 'R') this.#order.authenticate(bytes.readInt32BE(start), bytes.toString('latin1', start + 4, end))
    else if (type === 'Z') this.#order.finish()
    else if (type === 'T') this.#columnCount = bytes.readInt16BE(start)
    else if (type === 'D' && bytes.readInt16BE(start) !== this.#columnCount) throw refused(type, length, 'malformed')
  }
}
