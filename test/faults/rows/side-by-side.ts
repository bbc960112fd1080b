/** Row 19: Managed Instances, where many invocations share one environment and its worker threads. */
import { randomUUID } from 'node:crypto'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

const INVOCATIONS = 32
const WORKERS = [1, 4] as const
const STATEMENT_MS = [0, 60] as const
/** Connections of one worker: our default on Managed Instances, and what the peers' functions set. */
const MAX = { 'cockroach-lambda': 4, 'pg.Pool': 1, 'serverless-postgres': 1 } as const

/** Asks for its own number and compares: a statement of its own, or a transaction that writes as well. */
async function askFor(stage: Stage, environment: ExecutionEnvironment, number: number): Promise<void> {
  const text = `select ${number} as number, pg_sleep(${between(stage.random, ...STATEMENT_MS) / 1000})`
  const id = randomUUID()
  const answer = await stage.invoke(
    environment,
    number % 2 === 0 ? { op: 'query', text } : { op: 'writeInTransaction', id, text },
  )
  if (!answer?.ok) return
  if (number % 2 === 1) stage.acknowledge(id)
  if (answer.rows.length !== 1 || answer.rows[0]?.number !== number) stage.findings.push('an answer was not its own')
}

async function sideBySide(stage: Stage): Promise<void> {
  const workerCount = between(stage.random, ...WORKERS)
  let peak = 0
  stage.cloud.onClientMessage = () => {
    peak = Math.max(peak, stage.cloud.connections.length)
    return 'forward'
  }
  const environment = await stage.startEnvironment({ maxConcurrency: INVOCATIONS, workerCount })
  for (const wave of [0, 1]) {
    const numbers = Array.from({ length: INVOCATIONS }, (_, index) => wave * INVOCATIONS + index)
    await Promise.all(numbers.map((number) => askFor(stage, environment, number)))
  }
  await environment.shutdown()
  stage.cloud.onClientMessage = undefined
  if (peak > workerCount * MAX[stage.subject]) stage.findings.push(`${peak} connections for ${workerCount} workers`)
}

export const SIDE_BY_SIDE_ROWS: readonly FaultRow[] = [
  {
    id: '19',
    fault: '32 invocations side by side in one environment, one to four worker threads',
    caller: 'the answer, its own',
    database: 'never more connections than max for each worker; every write once',
    isSlow: true,
    inject: sideBySide,
    brokenPromises: allAnswered,
  },
]
