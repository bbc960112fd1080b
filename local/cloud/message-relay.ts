/** Passes messages from one stream to another, after an inspection of each. */
import type { Duplex } from 'node:stream'
import { type Message, MessageSplitter } from './wire-protocol.ts'

/** What is sent instead of a message; `kill` ends the connection. */
export type Inspection = readonly Buffer[] | 'kill'

/** Runs until the source ends, then ends the target. A chunk is written as one chunk, less what is dropped. */
export function relayMessages(
  source: Duplex,
  target: Duplex,
  inspect: (message: Message) => Inspection,
  kill: () => void,
): void {
  const splitter = new MessageSplitter()
  const write = (parts: readonly Buffer[]): void => {
    if (parts.length === 0 || !target.writable) return
    if (target.write(Buffer.concat(parts))) return
    source.pause()
    target.once('drain', () => source.resume())
  }
  source.on('data', (chunk: Buffer) => {
    const parts: Buffer[] = []
    for (const message of splitter.push(chunk)) {
      const inspection = inspect(message)
      if (inspection === 'kill') {
        write(parts)
        kill()
        return
      }
      parts.push(...inspection)
    }
    write(parts)
  })
  source.once('end', () => target.end())
  source.once('close', () => target.end())
  source.resume()
}
