/** Measures the steps of connecting. */
import { monotonicNow } from '../base/clock.ts'
import type { ProtocolConnection } from './pg.ts'

/** How long they took, in milliseconds, each counted from the one before. */
export interface ConnectTimings {
  readonly tcpMs: number | undefined
  readonly tlsMs: number | undefined
  readonly loginMs: number | undefined
}

function since(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.round(to - from)
}

export class ConnectClock {
  readonly #startedAt = monotonicNow()
  #tcpAt: number | undefined
  #tlsAt: number | undefined
  #readyAt: number | undefined

  constructor(connection: ProtocolConnection) {
    connection.on('connect', () => {
      this.#tcpAt = monotonicNow()
    })
    connection.on('sslconnect', () => {
      connection.stream.once('secureConnect', () => {
        this.#tlsAt = monotonicNow()
      })
    })
  }

  /** The login is over. */
  stop(): void {
    this.#readyAt = monotonicNow()
  }

  get timings(): ConnectTimings {
    return {
      tcpMs: since(this.#startedAt, this.#tcpAt),
      tlsMs: since(this.#tcpAt, this.#tlsAt),
      loginMs: since(this.#tlsAt ?? this.#tcpAt, this.#readyAt),
    }
  }
}
