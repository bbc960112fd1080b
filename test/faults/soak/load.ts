/** The load of a soak: one execution environment that is invoked, frozen and thawed, again and again. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { between, type Random } from '../random.ts'
import type { Stage } from '../stage.ts'
import { pick } from './faults.ts'
import type { Memory } from './memory.ts'

const ACCOUNTS = 10
/** How long a freeze is for the function: from no check, to a probe, to a new connection. */
const ADVANCES_MS = [0, 0, 20_000, 120_000, 600_000]
const FREEZE = 0.05

type Operation = (
  stage: Stage,
  environment: ExecutionEnvironment,
  random: Random,
  advanceMs: number,
) => Promise<unknown>

/** Mostly writes, since they can be lost or doubled. */
const OPERATIONS: readonly Operation[] = [
  (stage, environment, _, advanceMs) => stage.write(environment, { advanceMs }),
  (stage, environment, _, advanceMs) => stage.write(environment, { advanceMs }),
  (stage, environment, _, advanceMs) => stage.write(environment, { advanceMs, inTransaction: true }),
  (stage, environment, random, advanceMs) =>
    stage.write(environment, { advanceMs, inTransaction: true, text: `select pg_sleep(${random() / 10})` }),
  async (stage, environment, random, advanceMs) => {
    const id = randomUUID()
    const from = between(random, 1, ACCOUNTS)
    const to = (from % ACCOUNTS) + 1
    const answer = await stage.invoke(environment, { op: 'transfer', id, from, to, advanceMs })
    if (answer?.ok) stage.acknowledge(id)
  },
  (stage, environment, random, advanceMs) =>
    stage.invoke(environment, {
      op: 'parallel',
      text: 'select $1::int as number',
      count: between(random, 2, 8),
      advanceMs,
    }),
]

/** What a function should not do: seldom, so that most calls are correct ones. */
const MISUSES: readonly Operation[] = [
  (stage, environment, _, advanceMs) => stage.invoke(environment, { op: 'leak', advanceMs }),
  (stage, environment, _, advanceMs) =>
    stage.invoke(environment, { op: 'query', text: 'select pg_sleep(30)', advanceMs }),
  (stage, environment, _, advanceMs) => stage.invoke(environment, { op: 'query', text: 'select 1 / 0', advanceMs }),
]
const MISUSE = 0.02

const MEMORY_SAMPLES = 60

export interface Load {
  readonly stage: Stage
  readonly environment: ExecutionEnvironment
  readonly random: Random
  readonly memory: Memory
  /** On the monotonic clock, in milliseconds. */
  readonly endAt: number
}

/** Invokes until the time is up, and samples the memory now and then. */
export async function load({ stage, environment, random, memory, endAt }: Load): Promise<void> {
  const everyMs = (endAt - performance.now()) / MEMORY_SAMPLES
  let lookAt = performance.now() + everyMs
  while (performance.now() < endAt) {
    const isFrozen = random() < FREEZE
    if (isFrozen) await environment.freeze()
    await sleep(between(random, 0, isFrozen ? 1500 : 40))
    const operation = pick(random, random() < MISUSE ? MISUSES : OPERATIONS)
    await operation(stage, environment, random, isFrozen ? pick(random, ADVANCES_MS) : 0)
    if (performance.now() < lookAt) continue
    lookAt += everyMs
    const answer = await stage.invoke(environment, { op: 'memory' })
    if (answer?.ok) memory.add(answer.rows[0])
  }
}

/** Invokes until a write is answered; false when none is within `limitMs`, now that all faults are over. */
export function recovers(stage: Stage, environment: ExecutionEnvironment, limitMs: number): Promise<boolean> {
  return stage.until(async () => (await stage.write(environment))?.ok === true, limitMs)
}
