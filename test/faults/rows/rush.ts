/** Row 20: more execution environments at once than the server accepts connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import type { Stage } from '../stage.ts'

const ENVIRONMENTS = 100
const MAX_CONNECTIONS = 50
/** PostgreSQL reserves three connections for superusers, and some may not have ended yet. */
const LATER_CALLS = MAX_CONNECTIONS - 10
/** On Lambda each has a processor of its own to start and to log in with; here they share a few. */
const COLD_AT_ONCE = 10
const INIT_MS = 120_000
/** By each environment on average. */
const MOST_ATTEMPTS = 4
/** By each environment on average, in any one second. */
const MOST_ATTEMPTS_PER_SECOND = 1.25
/** Codes that report a server without free connections. */
const REFUSALS = ['ERR_SERVER_REFUSED', '53300']
const ANSWER = 'the answer'

/** How many of these instants fall into each second from the first one on. */
function perSecond(times: readonly number[]): number[] {
  const [first = 0] = times
  const counts: number[] = []
  for (const time of times) {
    const second = Math.floor((time - first) / 1000)
    counts[second] = (counts[second] ?? 0) + 1
  }
  return Array.from(counts, (count) => count ?? 0)
}

/** Does `step` for every item, for a few at the same time; results in the order of the items. */
async function fewAtOnce<Item, Result>(
  items: readonly Item[],
  step: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const rest = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await step(item)
  }
  await Promise.all(Array.from({ length: COLD_AT_ONCE }, work))
  return results
}

/** Calls, and gives the code of the caller's error, or ANSWER; another one than expected is a finding. */
async function call(
  stage: Stage,
  environment: ExecutionEnvironment,
  when: string,
  expected: readonly string[] = [ANSWER, ...REFUSALS],
): Promise<string> {
  const answer = await stage.write(environment)
  const [code, message] = answer?.ok ? [ANSWER, ''] : [answer?.error.code ?? 'nothing', answer?.error.message ?? '']
  if (!expected.includes(code)) stage.findings.push(`${when}, a caller saw ${code}: ${message}`)
  return code
}

async function rush(stage: Stage): Promise<void> {
  const { cloud, postgres, user } = stage
  const environments = await fewAtOnce(Array.from({ length: ENVIRONMENTS }), () =>
    stage.startEnvironment({ initTimeoutMs: INIT_MS }),
  )
  const called = await fewAtOnce(environments, async (environment) => ({
    environment,
    isAnswered: (await call(stage, environment, 'at the first call')) === ANSWER,
  }))
  const [answered, refused] = [
    called.filter(({ isAnswered }) => isAnswered),
    called.filter(({ isAnswered }) => !isAnswered),
  ]
  stage.notes.push(`${answered.length} environments answered, ${refused.length} refused`)

  cloud.resetCounts()
  await Promise.all(environments.map((environment) => call(stage, environment, 'in the rush')))
  const { startupTimes } = cloud.counts
  const attempts = perSecond(startupTimes)
  stage.notes.push(`attempts to connect, second by second: ${attempts.join(' ')}`)
  if (startupTimes.length > ENVIRONMENTS * MOST_ATTEMPTS) stage.findings.push(`${startupTimes.length} attempts in all`)
  if (Math.max(...attempts) > ENVIRONMENTS * MOST_ATTEMPTS_PER_SECOND)
    stage.findings.push(`${Math.max(...attempts)} in one second`)

  await Promise.all(answered.map(({ environment }) => environment.shutdown()))
  while ((await postgres.sessions({ user })).length > 0) await sleep(20)
  await fewAtOnce(refused.slice(0, LATER_CALLS), ({ environment }) =>
    call(stage, environment, 'when connections were free again', [ANSWER]),
  )
  await Promise.all(refused.map(({ environment }) => environment.shutdown()))
}

export const RUSH_ROWS: readonly FaultRow[] = [
  {
    id: '20',
    fault: '100 environments at once against max_connections = 50',
    caller: 'the answer, or ERR_SERVER_REFUSED before the deadline; later the answer',
    database: 'no storm: four attempts by each on average, spread out; every acknowledged write once',
    isSlow: true,
    needsAllProcessors: true,
    maxRuns: 1,
    settings: { timeoutSeconds: 15, ownPostgres: { max_connections: String(MAX_CONNECTIONS) } },
    inject: rush,
    // They are the findings of its calls.
    brokenPromises: () => [],
  },
]
