/** Rows 15 and 16: statements that outlast their invocation, and clients that do. */
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { errorsPerInjection, every, inTime } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'
import type { FaultEvent } from '../subjects/operations.ts'

const inSeconds = (stage: Stage): number => between(stage.random, 5, 60)

/** No statement may run, and no transaction stay open, once the function has answered. */
async function findUnfinished(stage: Stage): Promise<void> {
  const isOver = await stage.untilSessions((sessions) => sessions.every(({ state }) => state === 'idle'), 1000)
  if (!isOver) stage.findings.push('a statement or transaction continued at the server')
}

async function meetDeadline(stage: Stage, environment: ExecutionEnvironment, event: FaultEvent): Promise<void> {
  await stage.invoke(environment, event)
  await findUnfinished(stage)
  await stage.write(environment)
}

const PROMISES = every(errorsPerInjection(1, 'ERR_DEADLINE'), inTime)

export const DEADLINE_ROWS: readonly FaultRow[] = [
  {
    id: '15a',
    fault: 'a slow query meets the deadline',
    caller: 'ERR_DEADLINE at least 100 ms before Lambda would end it; the next invocation is answered',
    database: 'the statement is cancelled',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await meetDeadline(stage, environment, { op: 'query', text: `select pg_sleep(${inSeconds(stage)})` })
    },
    brokenPromises: PROMISES,
  },
  {
    id: '15b',
    fault: 'the same inside a transaction',
    caller: 'ERR_DEADLINE at least 100 ms before Lambda would end it; the next invocation is answered',
    database: 'the statement is cancelled and the transaction is rolled back',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      const id = crypto.randomUUID()
      const text = `select pg_sleep(${inSeconds(stage)})`
      await meetDeadline(stage, environment, { op: 'writeInTransaction', id, text })
      if (await stage.isWritten(id)) stage.findings.push('half a transaction was committed')
    },
    brokenPromises: PROMISES,
  },
  {
    id: '15c',
    fault: 'many slow queries at once, on four connections',
    caller: 'ERR_DEADLINE at least 100 ms before Lambda would end it; the next invocation is answered',
    database: 'all statements are cancelled',
    isSlow: true,
    settings: { timeoutSeconds: 2, environment: { COCKROACH_MAX_CONNECTIONS: '4' } },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      const text = `select $1, pg_sleep(${inSeconds(stage)})`
      await meetDeadline(stage, environment, { op: 'parallel', text, count: between(stage.random, 2, 12) })
    },
    brokenPromises: PROMISES,
  },
  {
    id: '16',
    fault: 'the last invocation did not release its client',
    caller: 'ERR_CLIENT_NOT_RELEASED at once, with the call site; the next call is answered',
    database: 'the session of that client is ended',
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.invoke(environment, { op: 'leak' })
      if (stage.random() < 0.5) {
        await environment.freeze()
        for (const connection of stage.cloud.connections) if (stage.random() < 0.5) connection.end()
      }
      const answer = await stage.write(environment)
      if (answer?.ok === false && !/taken at .*leak.*index\.mjs:\d+/.test(answer.error.message))
        stage.findings.push('the error does not name the call site')
      await stage.write(environment)
      if (!(await stage.untilSessions(({ length }) => length === 1))) stage.findings.push('a session was left behind')
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_CLIENT_NOT_RELEASED'), ({ tally, timeoutMs }) =>
      tally.slowestMs < timeoutMs / 2 ? [] : ['a caller had to wait'],
    ),
  },
]
