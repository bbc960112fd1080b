/** `npm run soak`: several environments under load, faults at random, for an hour or SOAK_MINUTES; exits with 1 when a promise broke. */
import { PostgresServer } from '../../local/postgres/server.ts'
import { seededRandom } from './random.ts'
import { type FaultLog, inflictFaults } from './soak/faults.ts'
import { load, recovers } from './soak/load.ts'
import { Memory } from './soak/memory.ts'
import { describeSoak } from './soak/report.ts'
import { Stage } from './stage.ts'
import { bundleSubjects } from './subject-code.ts'
import type { Tally } from './tally.ts'

/** Connections of each environment; the first are as most functions are. */
const MAX_CONNECTIONS = [1, 1, 1, 4]
const FAULTS_AT_ONCE = 2
const RECOVERY_MS = 15_000
const SETTLE_MS = 3_000
/** Of all accounts: transfers move money, and make none. */
const STARTING_SUM = 1000

/** What a caller may see while all this goes on: our codes for trouble outside, and SQLSTATEs. */
const EXPECTED =
  /^(ERR_(SECRET_UNAVAILABLE|TLS|AUTHENTICATION|CONNECT|SERVER_REFUSED|CONNECTION_LOST|DEADLINE|COMMIT_AMBIGUOUS|CLIENT_NOT_RELEASED)|[0-9A-Z]{5})$/

function minutesToRun(): number {
  const text = process.argv[2] ?? process.env.SOAK_MINUTES ?? '60'
  const minutes = Number(text)
  if (!(minutes > 0)) throw new Error(`SOAK_MINUTES is "${text}"; expected a number of minutes`)
  return minutes
}

function brokenPromises({ duplicatedWrites, lostWrites, violations, errors }: Tally): string[] {
  const times = new Map<string, number>()
  for (const violation of violations) times.set(violation, (times.get(violation) ?? 0) + 1)
  return [
    ...(duplicatedWrites > 0 ? [`${duplicatedWrites} writes are there twice`] : []),
    ...(lostWrites > 0 ? [`${lostWrites} acknowledged writes are not there`] : []),
    ...[...times].map(([violation, count]) => `${violation} (${count} times)`),
    ...[...errors.keys()].filter((code) => !EXPECTED.test(code)).map((code) => `a caller saw ${code}`),
  ]
}

const minutes = minutesToRun()
const seed = Number(process.env.FAULTS_SEED ?? Math.floor(Math.random() * 2 ** 31))
console.log(`${minutes} minutes, seed ${seed} (FAULTS_SEED repeats the order of faults and calls)`)
const dice = (offset: number) => seededRandom(seed + offset)

// As CockroachDB does, end statements whose client has gone.
const settings = { max_connections: '50', client_connection_check_interval: '500' }
await using server = await PostgresServer.start({ settings })
await using code = await bundleSubjects()
await using stage = await Stage.open({
  subject: 'cockroach-lambda',
  code,
  postgres: server.superuserConfig(),
  settings: {
    timeoutSeconds: 3,
    environment: { COCKROACH_SECRET_TTL_SECONDS: '2', COCKROACH_GRACEFUL_SHUTDOWN: 'true' },
  },
  random: dice(0),
})
const execArgv = ['--expose-gc']
const environments = await Promise.all(
  MAX_CONNECTIONS.map(async (max) => {
    const environment = { COCKROACH_MAX_CONNECTIONS: String(max) }
    return { environment: await stage.startEnvironment({ execArgv, environment }), memory: new Memory() }
  }),
)

const endAt = performance.now() + minutes * 60_000
const isOver = (): boolean => performance.now() > endAt
const faults: FaultLog = { busy: new Set(), inflicted: new Map() }
const progress = setInterval(() => {
  process.stderr.write(
    `… ${Math.ceil((endAt - performance.now()) / 60_000)} minutes left, ${stage.tally.calls} calls\n`,
  )
}, 60_000)
await Promise.all([
  ...environments.map((each, index) => load({ ...each, stage, random: dice(index + 1), endAt })),
  ...Array.from({ length: FAULTS_AT_ONCE }, (_, index) =>
    inflictFaults({ stage, server, random: dice(100 + index) }, faults, isOver),
  ),
])
clearInterval(progress)

const recovered = await Promise.all(environments.map(({ environment }) => recovers(stage, environment, RECOVERY_MS)))
const most = MAX_CONNECTIONS.reduce((sum, max) => sum + max, 0)
const hasAtMost = (count: number): Promise<boolean> => stage.untilSessions(({ length }) => length <= count, SETTLE_MS)
const isWithinMax = await hasAtMost(most)
const atRest = (await stage.sessions()).length
await Promise.all(environments.map(({ environment }) => environment.shutdown()))
await hasAtMost(0)
const left = (await stage.sessions()).length
await stage.audit()
const [bank] = await server.query<{ sum: number }>('select sum(balance)::int as sum from account', [], stage.database)

const broken = [
  ...brokenPromises(stage.tally),
  ...(recovered.every(Boolean) ? [] : ['an environment did not recover when all faults were over']),
  ...(isWithinMax ? [] : [`${atRest} sessions were open, more than ${most}`]),
  ...(left === 0 ? [] : [`${left} sessions were left behind`]),
  ...(bank?.sum === STARTING_SUM ? [] : [`the accounts hold ${bank?.sum}, not ${STARTING_SUM}`]),
  ...environments.flatMap(({ memory }) => memory.findings()),
]
const { tally } = stage
const { inflicted } = faults
const memories = environments.map(({ memory }) => memory)
console.log(describeSoak({ minutes, seed, tally, inflicted, memories, sessions: { atRest, left }, broken }))
process.exitCode = broken.length === 0 ? 0 : 1
