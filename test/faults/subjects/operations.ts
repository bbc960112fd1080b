/** What a faulted function does on request: the same for every subject, so that only the database access differs. */

/** One statement; rejects as the subject does. */
export type Query = (
  text: string,
  values?: unknown[],
  options?: { readonly idempotent?: boolean },
) => Promise<{ rows: Record<string, unknown>[] }>

/** A way to reach the database, as a function would write it. */
export interface Subject {
  readonly query: Query
  transaction<Result>(work: (query: Query) => Promise<Result>): Promise<Result>
  /** Takes a client and never releases it. */
  leak(): Promise<void>
}

/** What an invocation asks for. */
export type FaultEvent = {
  /** Advances the function's clock first: the time during which it was frozen. */
  readonly advanceMs?: number
} & (
  | { readonly op: 'query'; readonly text: string; readonly values?: unknown[] }
  /** Several of the same at once, each with its own number as $1. */
  | { readonly op: 'parallel'; readonly text: string; readonly count: number }
  /** Writes one line of the ledger, in a statement of its own: `text` with the id as $1, or a plain INSERT. */
  | { readonly op: 'write'; readonly id: string; readonly text?: string; readonly idempotent?: boolean }
  /** The same inside a transaction, with `text` run before COMMIT. */
  | { readonly op: 'writeInTransaction'; readonly id: string; readonly text?: string }
  /** Moves one unit between two accounts, serializable, and writes the ledger. */
  | { readonly op: 'transfer'; readonly id: string; readonly from: number; readonly to: number }
  | { readonly op: 'leak' }
  /** Sends a statement and answers without waiting for it. */
  | { readonly op: 'unawaited'; readonly text: string }
  /** Reports the memory of the process after a garbage collection (Node's --expose-gc). */
  | { readonly op: 'memory' }
)

/** What an invocation answers: the caller's view. */
export type FaultAnswer =
  | { readonly ok: true; readonly rows: readonly Record<string, unknown>[] }
  | {
      readonly ok: false
      readonly error: { readonly code: string; readonly message: string; readonly safeToRetry: boolean }
    }

const WRITE = 'insert into ledger (id) values ($1)'

async function transfer(query: Query, { id, from, to }: { id: string; from: number; to: number }): Promise<void> {
  const { rows } = await query('select id, balance from account where id = any($1)', [[from, to]])
  const balanceOf = (account: number): number => Number(rows.find((row) => row.id === account)?.balance)
  await query('update account set balance = $2 where id = $1', [from, balanceOf(from) - 1])
  await query('update account set balance = $2 where id = $1', [to, balanceOf(to) + 1])
  await query(WRITE, [id])
}

async function perform(subject: Subject, event: FaultEvent): Promise<readonly Record<string, unknown>[]> {
  switch (event.op) {
    case 'query':
      return (await subject.query(event.text, event.values)).rows
    case 'parallel': {
      const numbers = Array.from({ length: event.count }, (_, index) => index)
      const results = await Promise.all(numbers.map((number) => subject.query(event.text, [number])))
      return results.map(({ rows }) => rows[0] ?? {})
    }
    case 'write':
      return (await subject.query(event.text ?? WRITE, [event.id], { idempotent: event.idempotent ?? false })).rows
    case 'writeInTransaction':
      return subject.transaction(async (query) => {
        await query(WRITE, [event.id])
        return event.text === undefined ? [] : (await query(event.text)).rows
      })
    case 'transfer':
      await subject.transaction((query) => transfer(query, event))
      return []
    case 'unawaited':
      subject.query(event.text).catch(() => undefined)
      return []
    case 'leak':
      await subject.leak()
      return []
    case 'memory': {
      globalThis.gc?.()
      const { rss, heapUsed, external } = process.memoryUsage()
      return [{ rss, heapUsed, external }]
    }
  }
}

function describe(error: unknown): { code: string; message: string; safeToRetry: boolean } {
  const known = error instanceof Error ? error : new Error(String(error))
  const code = 'code' in known && typeof known.code === 'string' ? known.code : known.name
  const safeToRetry = 'safeToRetry' in known && known.safeToRetry === true
  return { code, message: known.message, safeToRetry }
}

/** Runs what the event asks for; an error is the answer, so that a caller sees its code. */
export async function operate(subject: Subject, event: FaultEvent): Promise<FaultAnswer> {
  const advanceClock: unknown = Reflect.get(globalThis, 'advanceClock')
  if (event.advanceMs !== undefined && typeof advanceClock === 'function') advanceClock(event.advanceMs)
  try {
    return { ok: true, rows: await perform(subject, event) }
  } catch (error) {
    return { ok: false, error: describe(error) }
  }
}
