/** Row 14: the server drains, refuses, sends nothing, or sends too slowly. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection, every, inTime } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

const SHUTTING_DOWN = { sqlstate: '57P03', message: 'the database system is shutting down' }
const FOR_A_MOMENT_MS = [50, 1200] as const
/** Full jitter from 100 ms to 2 s makes about half as many in the time of an invocation. */
const MOST_ATTEMPTS = 15

/** Ends the function's sessions as an administrator does (57P01). */
async function terminate({ postgres, user }: Stage): Promise<void> {
  await postgres.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [user])
}

/** An environment that worked and lost its connection, so that it has to open one. */
async function disconnected(stage: Stage): Promise<ExecutionEnvironment> {
  const environment = await stage.sharedEnvironment()
  await stage.write(environment)
  for (const connection of stage.cloud.connections) connection.end()
  await stage.until(() => stage.cloud.connections.length === 0)
  return environment
}

/** New connections are refused until the time is up. */
async function refuseFor(stage: Stage, ms: number): Promise<void> {
  stage.cloud.refuse = SHUTTING_DOWN
  await sleep(ms)
  stage.cloud.refuse = undefined
}

/** The same by PostgreSQL itself, with 53300. */
async function limitFor({ postgres, user }: Stage, ms: number): Promise<void> {
  await postgres.query(`alter role ${user} connection limit 0`)
  await sleep(ms)
  await postgres.query(`alter role ${user} connection limit -1`)
}

/** Drains the server as soon as the statement runs there. */
async function drainUnder(stage: Stage): Promise<void> {
  await stage.untilSessions((sessions) => sessions.some(({ query }) => query.includes('pg_sleep')))
  const refused = refuseFor(stage, between(stage.random, 50, 500))
  await terminate(stage)
  await refused
}

function fewAttempts({ cloud, tally }: Stage): string[] {
  const most = MOST_ATTEMPTS * tally.injected
  return cloud.counts.tcp <= most ? [] : [`${cloud.counts.tcp} connections were tried, more than ${most}`]
}

export const REFUSING_ROWS: readonly FaultRow[] = [
  {
    id: '14a',
    fault: 'server drains: 57P01 to the idle session, 57P03 to new ones for a moment',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      const refused = refuseFor(stage, between(stage.random, ...FOR_A_MOMENT_MS))
      await terminate(stage)
      await stage.until(() => stage.cloud.connections.length === 0)
      await Promise.all([stage.write(environment), refused])
    },
    brokenPromises: every(allAnswered, fewAttempts),
  },
  {
    id: '14b',
    fault: 'server drains: 57P01 to the busy session, 57P03 to new ones for a moment',
    caller: "query(): the server's own 57P01; transaction(): the answer, on a new connection",
    database: 'nothing of the interrupted statement; the transaction once',
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      const interrupted = randomUUID()
      const text = 'insert into ledger select $1 from pg_sleep(3)'
      await Promise.all([stage.invoke(environment, { op: 'query', text, values: [interrupted] }), drainUnder(stage)])
      if (await stage.isWritten(interrupted)) stage.findings.push('an interrupted statement took effect')
      await Promise.all([
        stage.write(environment, { inTransaction: true, text: 'select pg_sleep(0.4)' }),
        drainUnder(stage),
      ])
    },
    brokenPromises: every(errorsPerInjection(1, '57P01'), fewAttempts),
  },
  {
    id: '14c',
    fault: 'server refuses for a moment: too many connections (53300)',
    caller: 'the answer, after a few attempts',
    database: 'every write once',
    inject: async (stage) => {
      const environment = await disconnected(stage)
      const limited = limitFor(stage, between(stage.random, ...FOR_A_MOMENT_MS))
      await Promise.all([stage.write(environment), limited])
    },
    brokenPromises: every(allAnswered, fewAttempts),
  },
  {
    id: '14d',
    fault: 'server refuses for longer: 53300, 57P03, or request units used up',
    caller: 'ERR_SERVER_REFUSED in time; the next invocation is answered',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await disconnected(stage)
      const [tenant] = stage.cloud.tenants.values()
      const kind = between(stage.random, 0, 2)
      if (kind === 0) await stage.postgres.query(`alter role ${stage.user} connection limit 0`)
      if (kind === 1) stage.cloud.refuse = SHUTTING_DOWN
      if (kind === 2 && tenant) tenant.isRequestUnitLimitHit = true
      await stage.write(environment)
      await stage.postgres.query(`alter role ${stage.user} connection limit -1`)
      stage.cloud.refuse = undefined
      if (tenant) tenant.isRequestUnitLimitHit = false
      await stage.write(environment)
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_SERVER_REFUSED'), fewAttempts, inTime),
  },
  {
    id: '14e',
    fault: 'server accepts and sends nothing',
    caller: 'ERR_CONNECT in time; the next invocation is answered',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await disconnected(stage)
      stage.cloud.refuse = 'silence'
      await stage.write(environment)
      stage.cloud.refuse = undefined
      await stage.write(environment)
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_CONNECT'), inTime),
  },
  {
    id: '14f',
    fault: 'server trickles bytes, too few to log in before the deadline',
    caller: 'ERR_CONNECT in time; the next invocation is answered',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await disconnected(stage)
      stage.cloud.trickle = { bytes: 1, pauseMs: between(stage.random, 10, 50) }
      await stage.write(environment)
      stage.cloud.trickle = undefined
      await stage.write(environment)
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_CONNECT'), inTime),
  },
  {
    id: '14g',
    fault: 'server trickles an answer, or logs in slowly and answers in time',
    caller: 'ERR_DEADLINE in time, or the answer; the next invocation is answered',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      stage.cloud.trickle = { bytes: between(stage.random, 1, 100), pauseMs: 5 }
      await stage.invoke(environment, { op: 'query', text: `select repeat('x', 200000)` })
      stage.cloud.trickle = undefined
      await disconnected(stage)
      stage.cloud.trickle = { bytes: between(stage.random, 200, 400), pauseMs: 5 }
      await stage.write(environment)
      stage.cloud.trickle = undefined
      await stage.write(environment)
    },
    brokenPromises: every(errorsPerInjection(1, 'ERR_DEADLINE'), inTime),
  },
]
