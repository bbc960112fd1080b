/** Rows 4 to 6: the server ends sessions or is down between invocations, before the first, and under a statement. */

import { BLOCKED, BLOCKED_LONG, BLOCKED_LONG_WRITE, BLOCKED_WRITE, Blockade } from '../blockade.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, errorsPerInjection, every, ledgerHolds } from '../promises.ts'
import type { Stage } from '../stage.ts'
import { COMMIT_ROWS } from './commit.ts'

async function restart({ ownPostgres, random }: Stage): Promise<void> {
  await ownPostgres?.restart(random() < 0.5 ? 'fast' : 'immediate')
}

/** Writes, injects `fault` into the statement under way, and writes again. */
async function faultDuring(
  stage: Stage,
  changes: NonNullable<Parameters<Stage['write']>[1]>,
  fault: (blockade: Blockade) => Promise<void>,
): Promise<void> {
  const environment = await stage.sharedEnvironment()
  const blockade = await Blockade.raise(stage)
  const call = stage.write(environment, changes)
  try {
    await blockade.met(call)
    await fault(blockade)
  } finally {
    await blockade[Symbol.asyncDispose]()
    await call
  }
  await stage.write(environment)
}

/** Starts an environment while the server is down; it is up before the third invocation. */
async function startWithout(stage: Stage, comeBack: () => Promise<void>): Promise<void> {
  const environment = await stage.startEnvironment()
  await stage.write(environment)
  await stage.write(environment)
  await comeBack()
  await stage.write(environment)
  await environment.shutdown()
}

const IN_TRANSACTION = { inTransaction: true, text: BLOCKED }
/** Does no harm when it runs twice. */
const IDEMPOTENT_WRITE = {
  idempotent: true,
  text: `${BLOCKED_WRITE} where not exists (select from ledger where id = $1)`,
}
const onlyAnswered = ledgerHolds(({ answered }) => answered)

export const CONNECTION_ROWS: readonly FaultRow[] = [
  {
    id: '4a',
    fault: 'database restarted between invocations',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    isSlow: true,
    settings: { ownPostgres: {} },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      if (stage.random() < 0.5) await environment.freeze()
      await restart(stage)
      await stage.write(environment)
    },
    brokenPromises: every(allAnswered, onlyAnswered),
  },
  {
    id: '4b',
    fault: 'database restarted during a statement',
    caller: 'one error, 57P01 or ERR_CONNECTION_LOST; the next invocation is answered',
    database: 'nothing of the statement, every other write once',
    isSlow: true,
    settings: { ownPostgres: {} },
    inject: (stage) => faultDuring(stage, { text: BLOCKED_LONG_WRITE }, () => restart(stage)),
    brokenPromises: every(errorsPerInjection(1, '57P01', 'ERR_CONNECTION_LOST'), onlyAnswered),
  },
  {
    id: '4c',
    fault: 'database restarted during a transaction',
    caller: 'the answer: the whole unit runs again',
    database: 'every write once',
    isSlow: true,
    settings: { ownPostgres: {}, timeoutSeconds: 8 },
    inject: (stage) => faultDuring(stage, { inTransaction: true, text: BLOCKED_LONG }, () => restart(stage)),
    brokenPromises: every(allAnswered, onlyAnswered),
  },
  {
    id: '5a',
    fault: 'database down (no answer) at init, up at the third invocation',
    caller: 'ERR_CONNECT in time, twice; then the answer',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { ownPostgres: {}, timeoutSeconds: 2 },
    inject: async (stage) => {
      await stage.ownPostgres?.crash()
      await startWithout(stage, async () => stage.ownPostgres?.resume())
    },
    brokenPromises: every(errorsPerInjection(2, 'ERR_CONNECT'), onlyAnswered),
  },
  {
    id: '5b',
    fault: 'database down (connections reset) at init, up at the third invocation',
    caller: 'ERR_CONNECT in time, twice; then the answer',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 2 },
    inject: async (stage) => {
      stage.cloud.refuse = 'rst'
      await startWithout(stage, async () => {
        stage.cloud.refuse = undefined
      })
    },
    brokenPromises: every(errorsPerInjection(2, 'ERR_CONNECT'), onlyAnswered),
  },
  {
    id: '6a',
    fault: 'session terminated during a statement',
    caller: '57P01; the next invocation is answered',
    database: 'nothing of the statement, every other write once',
    inject: (stage) => faultDuring(stage, { text: BLOCKED_WRITE }, (blockade) => blockade.terminateWaiting()),
    brokenPromises: every(errorsPerInjection(1, '57P01'), onlyAnswered),
  },
  {
    id: '6b',
    fault: 'session terminated during a statement that is idempotent',
    caller: 'the answer: the statement runs again',
    database: 'every write once',
    inject: (stage) => faultDuring(stage, IDEMPOTENT_WRITE, (blockade) => blockade.terminateWaiting()),
    brokenPromises: every(allAnswered, onlyAnswered),
  },
  {
    id: '6c',
    fault: 'session terminated during a transaction',
    caller: 'the answer: the whole unit runs again',
    database: 'every write once',
    inject: (stage) => faultDuring(stage, IN_TRANSACTION, (blockade) => blockade.terminateWaiting()),
    brokenPromises: every(allAnswered, onlyAnswered),
  },
  ...COMMIT_ROWS,
]
