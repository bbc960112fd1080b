/** Row 9: a bank with few accounts and many writers, serializable, so that the server aborts transactions (40001). */
import { randomUUID } from 'node:crypto'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, every, ledgerHolds } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

const ACCOUNTS = 10
const WRITERS = 8
const TRANSFERS = [3, 6] as const

interface Transfer {
  readonly from: number
  readonly to: number
}

/** Two accounts that are not the same. */
function transferBy(random: () => number): Transfer {
  const from = between(random, 1, ACCOUNTS)
  return { from, to: ((from + between(random, 0, ACCOUNTS - 2)) % ACCOUNTS) + 1 }
}

/** What each account should hold more or less than at the start, by the acknowledged transfers. */
const due = new WeakMap<Stage, Map<number, number>>()

function book(stage: Stage, { from, to }: Transfer): void {
  const changes = due.get(stage) ?? new Map<number, number>()
  changes.set(from, (changes.get(from) ?? 0) - 1)
  changes.set(to, (changes.get(to) ?? 0) + 1)
  due.set(stage, changes)
}

async function transferInTurn(
  stage: Stage,
  environment: ExecutionEnvironment,
  transfers: readonly Transfer[],
): Promise<void> {
  for (const transfer of transfers) {
    const id = randomUUID()
    const answer = await stage.invoke(environment, { op: 'transfer', id, ...transfer })
    if (!answer?.ok) continue
    stage.acknowledge(id)
    book(stage, transfer)
  }
}

const START_BALANCE = 100

/** Every account holds what the acknowledged transfers make of it; the sum follows from that. */
async function wrongBalances(stage: Stage): Promise<string[]> {
  const rows = await stage.postgres.query<{ id: number; balance: number }>(
    'select id, balance from account order by id',
    [],
    stage.database,
  )
  return rows.flatMap(({ id, balance }) => {
    const expected = START_BALANCE + (due.get(stage)?.get(id) ?? 0)
    return balance === expected ? [] : [`account ${id} holds ${balance}, not ${expected}`]
  })
}

export const CONTENTION_ROWS: readonly FaultRow[] = [
  {
    id: '9',
    fault: 'serialization failures (40001): 8 writers transfer between 10 accounts',
    caller: 'the answer: aborted transactions run again',
    database: 'every transfer once: each account and the ledger add up',
    settings: { timeoutSeconds: 10 },
    inject: async (stage) => {
      const environments = await stage.sharedEnvironments(WRITERS)
      const count = between(stage.random, ...TRANSFERS)
      // Random numbers are taken before the writers start: the machine decides which of them is first.
      const plans = environments.map(() => Array.from({ length: count }, () => transferBy(stage.random)))
      await Promise.all(
        environments.map((environment, index) => transferInTurn(stage, environment, plans[index] ?? [])),
      )
    },
    brokenPromises: every(
      allAnswered,
      ledgerHolds(({ answered }) => answered),
      wrongBalances,
    ),
  },
]
