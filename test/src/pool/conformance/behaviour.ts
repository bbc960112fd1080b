/** What the tables of conformance are made of: a behaviour, and what a genuine pool and ours answer. */
import type { Pool, PoolClient, PoolConfig } from 'pg'

/** Opens pools of one kind; all are ended after the behaviour. */
export interface Subject {
  /** At most one connection, unless `max` says otherwise. */
  open(options?: PoolConfig): Pool
  /** A pool whose password the server refuses. */
  openRefused(): Pool
  /** Has the server end a session, as an administrator would. */
  endSession(pid: unknown): Promise<void>
}

export interface Behaviour {
  /** Present tense; completes "a pool …". */
  readonly behaviour: string
  /** Tries it, and returns what can be seen of it. */
  readonly observe: (subject: Subject) => Promise<unknown>
  readonly genuine: unknown
  /** Only where ours is another one. */
  readonly ours?: { readonly answer: unknown; readonly reason: string }
}

export async function pidOf(client: Pick<Pool | PoolClient, 'query'>): Promise<unknown> {
  return (await client.query('select pg_backend_pid() as pid')).rows[0]?.pid
}

export function countsOf({ totalCount, idleCount, waitingCount }: Pool): readonly number[] {
  return [totalCount, idleCount, waitingCount]
}

/** The code of an error, of one that has none its message. */
export function shown(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return 'code' in error && error.code !== undefined ? error.code : error.message
}

/** The cause of all causes: what the server sent. */
export function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error
}

/** The rows of a statement, or its error. */
export function told(statement: Promise<{ readonly rows: unknown }>): Promise<unknown> {
  return statement.then(({ rows }) => rows, shown)
}

/** What is thrown, or nothing. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action()
    return undefined
  } catch (error) {
    return error
  }
}

/** True if it settles before `other` has, and what was due with that was done. */
export async function isSettledBy(promise: Promise<unknown>, other: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  const settled = (): void => {
    isSettled = true
  }
  promise.then(settled, settled)
  await other
  await new Promise((resolve) => setImmediate(resolve))
  return isSettled
}

/** The names of a pool's events from now on, as they come. */
export function eventsOf(pool: Pool): readonly string[] {
  const events: string[] = []
  for (const name of ['connect', 'acquire', 'release', 'remove', 'error'] as const)
    pool.on(name as 'connect', () => events.push(name))
  return events
}
