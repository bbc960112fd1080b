/** A process that connects and runs statements whenever its parent says so, and tells how they ended; the parent watches whether it lives. */
import { text as readText } from 'node:stream/consumers'
import { inspect } from 'node:util'
import { to as copyTo } from 'pg-copy-streams'
import { monotonicNow } from '../../src/base/clock.ts'
import { Database } from '../../src/database.ts'
import type { DatabaseOptions } from '../../src/index.ts'
import { runInvocation } from '../../src/lambda/deadline.ts'

export interface Order {
  readonly options: DatabaseOptions
  /** Statements, each with or without a value; those that copy are read by pg-copy-streams. */
  readonly statements: readonly { readonly text: string; readonly values?: unknown[]; readonly copies?: true }[]
  /** Ends the statements, in milliseconds from now. */
  readonly deadlineMs?: number
}

/** What became of one statement: its first row, or its error. */
export type Outcome =
  | { readonly row: unknown }
  | { readonly name: string; readonly code: unknown; readonly message: string; readonly printed: string }

export interface Answer {
  readonly outcomes: readonly Outcome[]
  /** What a statement gets that comes after these. */
  readonly after: Outcome
  readonly total: number
  readonly waiting: number
  /** Time of the processor, in milliseconds: who loops has it all. */
  readonly busyMs: number
}

/** Of several results, which pg gives as an array, there is no row to tell. */
async function outcomeOf(statement: Promise<{ rows?: unknown[] }>): Promise<Outcome> {
  try {
    return { row: (await statement).rows?.[0] ?? null }
  } catch (error) {
    if (!(error instanceof Error)) return { name: typeof error, code: undefined, message: String(error), printed: '' }
    const code = 'code' in error ? error.code : undefined
    return { name: error.name, code, message: error.message, printed: inspect(error, { depth: 9, showHidden: true }) }
  }
}

/** Its rows are what was copied. */
async function copyOut(database: Database, text: string): Promise<{ rows: unknown[] }> {
  await using client = await database.getClient()
  return { rows: [await readText(client.query(copyTo(text)))] }
}

async function carryOut({ options, statements, deadlineMs }: Order): Promise<Answer> {
  const began = process.cpuUsage()
  const database = new Database(options)
  const outcomes: Outcome[] = []
  const run = async () => {
    for (const { text, values, copies } of statements)
      outcomes.push(await outcomeOf(copies ? copyOut(database, text) : database.query(text, values)))
  }
  const awsRequestId = undefined
  if (deadlineMs === undefined) await run()
  else await runInvocation({ awsRequestId, remainingMs: deadlineMs, marginMs: 300, now: monotonicNow() }, run)
  // The connection may be lost at any time from now on.
  const after = await outcomeOf(database.query('simple', [], { idempotent: true }))
  const { totalCount: total, waitingCount: waiting } = database.getPool()
  await database.close()
  const { user, system } = process.cpuUsage(began)
  return { outcomes, after, total, waiting, busyMs: (user + system) / 1000 }
}

process.on('message', (order: Order) => {
  void carryOut(order).then((answer) => process.send?.(answer))
})
process.send?.('ready')
