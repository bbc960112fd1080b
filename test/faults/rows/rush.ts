/** Row 20: more execution environments at once than the server takes connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import type { FaultRow } from '../fault-row.ts'
import type { Stage } from '../stage.ts'

const ENVIRONMENTS = 100
const MAX_CONNECTIONS = 50
/** PostgreSQL keeps three connections for superusers, and may still be parting with some. */
const LATER_CALLS = MAX_CONNECTIONS - 10
/** A hundred processes on a few processors take their time to start. */
const INIT_MS = 120_000
/** By each environment on average, calls and init phase together. */
const MOST_ATTEMPTS = 4
/** By each environment on average, in any one second. */
const MOST_ATTEMPTS_PER_SECOND = 1.25
/** How a server that is full may be told of. */
const REFUSALS = ['ERR_SERVER_REFUSED', '53300']

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

/** The attempts of the init phases are over: nobody connected for a second. */
async function untilQuiet({ cloud }: Stage): Promise<void> {
  for (let seen = -1; seen !== cloud.counts.tcp; await sleep(1000)) seen = cloud.counts.tcp
}

async function call(stage: Stage, environment: ExecutionEnvironment): Promise<string> {
  const answer = await stage.write(environment)
  if (answer === undefined) return 'nothing'
  return answer.ok ? 'answered' : `${answer.error.code}: ${answer.error.message}`
}

async function rush(stage: Stage): Promise<void> {
  const { cloud, postgres, user } = stage
  cloud.resetCounts()
  const start = () => stage.startEnvironment({ initTimeoutMs: INIT_MS })
  const environments = await Promise.all(Array.from({ length: ENVIRONMENTS }, start))
  // On Lambda none would have to share its processor with others that still start.
  await untilQuiet(stage)
  const guests = await Promise.all(
    environments.map(async (environment) => ({
      environment,
      isSeated: (await call(stage, environment)) === 'answered',
    })),
  )
  const { startupTimes } = cloud.counts
  const attempts = perSecond(startupTimes)
  stage.notes.push(`attempts to connect, second by second: ${attempts.join(' ')}`)
  if (startupTimes.length > ENVIRONMENTS * MOST_ATTEMPTS) stage.findings.push(`${startupTimes.length} attempts in all`)
  if (Math.max(...attempts) > ENVIRONMENTS * MOST_ATTEMPTS_PER_SECOND)
    stage.findings.push(`${Math.max(...attempts)} in one second`)

  const [seated, refused] = [guests.filter(({ isSeated }) => isSeated), guests.filter(({ isSeated }) => !isSeated)]
  stage.notes.push(`${seated.length} environments answered, ${refused.length} refused`)
  await Promise.all(seated.map(({ environment }) => environment.shutdown()))
  while ((await postgres.sessions({ user })).length > 0) await sleep(20)
  const later = await Promise.all(refused.slice(0, LATER_CALLS).map(({ environment }) => call(stage, environment)))
  for (const outcome of later) {
    if (outcome !== 'answered') stage.findings.push(`a call failed though connections were free again: ${outcome}`)
  }
  await Promise.all(refused.map(({ environment }) => environment.shutdown()))
}

export const RUSH_ROWS: readonly FaultRow[] = [
  {
    id: '20',
    fault: '100 environments started at once against max_connections = 50',
    caller: 'the answer, or ERR_SERVER_REFUSED before the deadline; later the answer',
    database: 'no storm: four attempts by each on average, spread out; every acknowledged write once',
    isSlow: true,
    needsAllProcessors: true,
    maxRuns: 1,
    settings: { timeoutSeconds: 15, ownPostgres: { max_connections: String(MAX_CONNECTIONS) } },
    inject: rush,
    brokenPromises: ({ tally }) =>
      [...tally.errors]
        .filter(([code]) => !REFUSALS.includes(code))
        .map(([code, times]) => `callers saw ${times} x ${code}`),
  },
]
