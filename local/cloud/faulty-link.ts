/** A client's TCP connection as a stream that can be slowed, paused, closed, or made a black hole, below TLS. */
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Lane, type LaneFaults } from './lane.ts'

/** Counters that the link increases. */
export interface LinkCounts {
  bytesIn: number
  bytesOut: number
  clientPackets: number
}

/** Emitted when the client's FIN arrives, even while nothing reads the link. */
export const CLIENT_END = 'clientEnd'

export class FaultyLink extends Duplex {
  readonly #socket: Socket
  readonly #counts: () => LinkCounts
  readonly #fromClient: Lane
  readonly #toClient: Lane
  #isBlackHole = false

  /** `trickle` slows what goes to the client only; `delayMs` both ways. */
  constructor(socket: Socket, faults: LaneFaults, counts: () => LinkCounts) {
    super({ allowHalfOpen: true })
    this.#socket = socket
    this.#counts = counts
    this.#toClient = new Lane(faults)
    this.#fromClient = new Lane({
      get delayMs() {
        return faults.delayMs
      },
      trickle: undefined,
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      counts().bytesIn += chunk.length
      counts().clientPackets += 1
      this.#fromClient.send(chunk, (bytes) => {
        if (!this.push(bytes)) socket.pause()
      })
    })
    socket.on('end', () => {
      this.#fromClient.afterwards(() => {
        this.push(null)
        this.emit(CLIENT_END)
      })
    })
    // ECONNRESET and the like: 'close' follows, and is all that matters.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#fromClient.afterwards(() => this.destroy()))
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#toClient.send(chunk, (bytes) => {
      this.#counts().bytesOut += bytes.length
      this.#socket.write(bytes)
    })
    // Not when it is written: latency must not become a limit on throughput.
    callback()
  }

  override _final(callback: () => void): void {
    this.#toClient.afterwards(() => this.#socket.end())
    callback()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    // What was sent before (an error message, say) still arrives; a black hole sends nothing, not even FIN.
    if (!this.#isBlackHole) this.#toClient.afterwards(() => this.#socket.destroySoon())
    callback(error)
  }

  /** Sends FIN, ahead of whatever is delayed; resolves when it has left. */
  sendFin(): Promise<void> {
    this.#toClient.drop()
    // Reading on, so that the client's own FIN is seen and the socket closes.
    this.#socket.resume()
    return new Promise((resolve) => this.#socket.end(() => resolve()))
  }

  /** Sends RST now. */
  sendReset(): void {
    this.#drop()
    this.#socket.resetAndDestroy()
    this.destroy()
  }

  /** From now on nothing arrives on either side, not even FIN or RST. */
  blackHole(): void {
    this.#isBlackHole = true
    this.#drop()
    this.#socket.resume()
  }

  /** Holds everything back, both ways, until `resumeBoth()`. */
  pauseBoth(): void {
    this.#fromClient.pause()
    this.#toClient.pause()
  }

  resumeBoth(): void {
    this.#fromClient.resume()
    this.#toClient.resume()
  }

  /** Destroys link and socket, whatever their state. */
  destroyBoth(): void {
    this.#drop()
    this.#socket.destroy()
    this.destroy()
  }

  #drop(): void {
    this.#fromClient.drop()
    this.#toClient.drop()
  }
}
