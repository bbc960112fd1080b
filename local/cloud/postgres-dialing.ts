/** Connects to the PostgreSQL behind the stand-in, with repeated attempts if asked for. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Admission } from './admission.ts'
import type { PostgresAddress } from './tenant.ts'
import { errorSqlstate, MessageSplitter, startupMessage } from './wire-protocol.ts'

const CANNOT_CONNECT_NOW = '57P03'
const FIRST_WAIT_MS = 20
const MAX_WAIT_MS = 1_000

export interface LogInOptions {
  /** The Cloud dials without bound, so that the client meets its own time limit. */
  readonly redials: boolean
  /** False as soon as the client has gone. */
  readonly isWanted: () => boolean
  /** Ends the wait between two attempts. */
  readonly signal: AbortSignal
}

/** A PostgreSQL that has begun to answer the start-up message; undefined when none did or none is wanted any more. */
export async function logIn(
  { postgres, startup }: Admission,
  { redials, isWanted, signal }: LogInOptions,
): Promise<Socket | undefined> {
  for (let waitMs = FIRST_WAIT_MS; isWanted(); waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    const backend = await dial(postgres)
    backend?.write(startupMessage(startup))
    const answer = backend === undefined ? undefined : await peek(backend)
    // A CockroachDB server that is starting does not listen yet; PostgreSQL says so in an error.
    const isReady = answer !== undefined && !(redials && isStartingUp(answer))
    if (isReady && !signal.aborted) return backend
    backend?.destroy()
    if (!redials) return undefined
    await sleep(waitMs, undefined, { signal })
  }
  return undefined
}

/** Connects once; undefined when nothing listens. */
export async function dial({ host = '127.0.0.1', port }: PostgresAddress): Promise<Socket | undefined> {
  const backend = connect(port, host).setNoDelay(true)
  try {
    await once(backend, 'connect')
    // 'close' follows, and is all that matters.
    return backend.on('error', () => undefined)
  } catch {
    return undefined
  }
}

/** The first bytes from a server, left in its stream; undefined when it closes without any. */
async function peek(backend: Socket): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    backend.once('close', () => resolve(undefined))
    backend.once('data', (chunk: Buffer) => {
      backend.pause()
      backend.unshift(chunk)
      resolve(chunk)
    })
  })
}

function isStartingUp(answer: Buffer): boolean {
  const [message] = new MessageSplitter().push(answer)
  return message?.type === 'E' && errorSqlstate(message.payload) === CANNOT_CONNECT_NOW
}
