/** Breaks a connection at one message: on its way to the server, or on its way back. */
import type { MessageHook, ProxiedConnection } from '../../local/cloud/stand-in.ts'
import type { Stage } from './stage.ts'

export interface MessageToLose {
  /** On its way `toServer`, or `toClient`. */
  readonly way: 'toServer' | 'toClient'
  /** The protocol's letter. */
  readonly type: string
  /** How its text begins. @default anything */
  readonly text?: string
}

/** What the client receives when its connection is lost. */
export type LossMode = 'fin' | 'rst' | 'silence'

const LOSSES: Readonly<Record<LossMode, (connection: ProxiedConnection) => void>> = {
  fin: (connection) => connection.end(),
  rst: (connection) => connection.reset(),
  silence: (connection) => connection.blackHole(),
}

/** Loses the first such message, once, and the connection with it. */
export function loseMessage({ cloud }: Stage, { way, type, text = '' }: MessageToLose, mode: LossMode): void {
  let lost: ProxiedConnection | undefined
  const hook: MessageHook = (connection, seenType, payload) => {
    if (connection === lost) return 'drop'
    const isIt = seenType === type && payload.toString('utf8').startsWith(text)
    if (lost !== undefined || !isIt || !connection.isAuthenticated) return 'forward'
    lost = connection
    LOSSES[mode](connection)
    return 'drop'
  }
  cloud.onClientMessage = way === 'toServer' ? hook : undefined
  cloud.onServerMessage = way === 'toClient' ? hook : undefined
}
