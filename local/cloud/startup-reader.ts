/** Reads one start-up packet from a stream, and pauses the stream for the next reader. */
import type { Duplex } from 'node:stream'
import { startupPacketLength } from './wire-protocol.ts'

/**
 * The packet, or undefined when the stream ended before it was whole.
 *
 * Bytes behind the packet are dropped: a client must not send any, and the Cloud's proxy may drop them too.
 *
 * @throws RangeError when the bytes are not a start-up packet (a TLS hello without SSLRequest, HTTP, …)
 */
export async function readStartupPacket(stream: Duplex): Promise<Buffer | undefined> {
  return await new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0)
    const finish = (settle: () => void): void => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd)
      stream.pause()
      settle()
    }
    const onEnd = (): void => finish(() => resolve(undefined))
    const onData = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk])
      try {
        const length = startupPacketLength(bytes)
        if (length !== undefined && bytes.length >= length) finish(() => resolve(bytes.subarray(0, length)))
      } catch (error) {
        finish(() => reject(error))
      }
    }
    stream.on('data', onData).on('end', onEnd).on('close', onEnd)
  })
}
