/** Waits for a client's statements. */
import type { EventEmitter } from 'node:events'

/** Settles when pg has no statement of this client left to run, or its connection has ended. */
export function whenDone(client: Pick<EventEmitter, 'on' | 'off'>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      client.off('drain', done)
      client.off('end', done)
      resolve()
    }
    client.on('drain', done)
    client.on('end', done)
  })
}
