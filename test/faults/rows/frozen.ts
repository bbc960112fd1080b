/** Rows 1 to 3: what happens to the connection while the execution environment is frozen. */

import type { ProxiedConnection } from '../../../local/cloud/stand-in.ts'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered, onlyErrors } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

/** Writes, is frozen, loses its connection in some way, and is thawed with an invocation waiting. */
async function loseWhileFrozen(
  stage: Stage,
  environment: ExecutionEnvironment,
  lose: (connection: ProxiedConnection) => unknown,
  advanceMs: number,
): Promise<void> {
  await stage.write(environment)
  await environment.freeze()
  await Promise.all(stage.cloud.connections.map(lose))
  await stage.write(environment, { advanceMs })
}

const SHORT_MS = [0, 50_000] as const
const PROBED_MS = [70_000, 330_000] as const
const LONG_MS = [350_000, 900_000] as const

export const FROZEN_ROWS: readonly FaultRow[] = [
  {
    id: '1',
    fault: 'frozen, session ended (FIN) meanwhile, thawed by an invocation',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    inject: async (stage) =>
      loseWhileFrozen(
        stage,
        await stage.sharedEnvironment(),
        (connection) => connection.end(),
        between(stage.random, ...SHORT_MS),
      ),
    brokenPromises: allAnswered,
  },
  {
    id: '2',
    fault: 'the same with RST',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    inject: async (stage) =>
      loseWhileFrozen(
        stage,
        await stage.sharedEnvironment(),
        (connection) => connection.reset(),
        between(stage.random, ...SHORT_MS),
      ),
    brokenPromises: allAnswered,
  },
  {
    id: '3a',
    fault: 'frozen for less than a minute, connection lost without FIN or RST',
    caller: 'ERR_DEADLINE in time; the next invocation is answered',
    database: 'every acknowledged write once',
    isSlow: true,
    settings: { timeoutSeconds: 3 },
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await loseWhileFrozen(
        stage,
        environment,
        (connection) => connection.blackHole(),
        between(stage.random, ...SHORT_MS),
      )
      await stage.write(environment)
    },
    brokenPromises: onlyErrors('ERR_DEADLINE', (stage) => stage.tally.injected),
  },
  {
    id: '3b',
    fault: 'frozen for one to five minutes, connection lost without FIN or RST',
    caller: 'the answer, after a probe of at most a second',
    database: 'every write once',
    inject: async (stage) =>
      loseWhileFrozen(
        stage,
        await stage.sharedEnvironment(),
        (connection) => connection.blackHole(),
        between(stage.random, ...PROBED_MS),
      ),
    brokenPromises: allAnswered,
  },
  {
    id: '3c',
    fault: 'frozen for longer, connection lost without FIN or RST',
    caller: 'the answer, on a new connection',
    database: 'every write once',
    inject: async (stage) =>
      loseWhileFrozen(
        stage,
        await stage.sharedEnvironment(),
        (connection) => connection.blackHole(),
        between(stage.random, ...LONG_MS),
      ),
    brokenPromises: allAnswered,
  },
]
