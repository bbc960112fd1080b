/** `npm run faults`: every fault, injected into this package and two peers, as a table; exits with 1 when a promise broke. */
import Table from 'cli-table3'
import { PostgresServer } from '../../local/postgres/server.ts'
import { ROWS } from './rows.ts'
import { type RowOutcome, runRow } from './run-row.ts'
import { bundleSubjects, SUBJECTS } from './subject-code.ts'

const RUNS = 20
const SLOW_RUNS = 5

function numberFrom(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  if (!/^\d+$/.test(text)) throw new Error(`${name} is "${text}"; expected a whole number`)
  return Number(text)
}

function cells({ row, subject, tally, broken }: RowOutcome): string[] {
  const errors = [...tally.errors].map(([code, count]) => `${count} ${code}`).join('\n')
  return [
    row.id,
    row.fault,
    subject,
    String(tally.injected),
    String(tally.calls),
    String(tally.answered),
    errors,
    String(tally.duplicatedWrites),
    String(tally.lostWrites),
    `${Math.round(tally.slowestMs)} ms`,
    broken.length === 0 ? 'kept' : `BROKEN: ${broken.join('; ')}`,
  ]
}

const HEAD = [
  'row',
  'fault',
  'subject',
  'injected',
  'calls',
  'answered',
  'errors',
  'twice',
  'lost',
  'slowest',
  'promise',
]
const COLUMN_WIDTHS = [5, 34, 21, 10, 7, 10, 28, 7, 6, 10, 44]

const seed = numberFrom('FAULTS_SEED', Math.floor(Math.random() * 2 ** 31))
const only = process.argv.slice(2)
console.log(`seed ${seed} (FAULTS_SEED repeats it)`)
await using postgres = await PostgresServer.start({ settings: { max_connections: '300' } })
await using code = await bundleSubjects()
const outcomes: RowOutcome[] = []
for (const row of ROWS) {
  if (only.length > 0 && !only.includes(row.id)) continue
  for (const subject of row.hasPeers === false ? SUBJECTS.slice(0, 1) : SUBJECTS) {
    const runs = numberFrom('FAULTS_RUNS', row.isSlow ? SLOW_RUNS : RUNS)
    process.stderr.write(`… ${row.id} ${row.fault}: ${subject}, ${Math.min(runs, row.maxRuns ?? runs)} times\n`)
    outcomes.push(await runRow(row, { subject, code, postgres: postgres.superuserConfig(), runs, seed }))
  }
}
const table = new Table({ head: HEAD, colWidths: COLUMN_WIDTHS, wordWrap: true, style: { head: [], border: [] } })
table.push(...outcomes.map(cells))
console.log(table.toString())
for (const { row, subject, notes } of outcomes) for (const note of notes) console.log(`${row.id} ${subject}: ${note}`)
const broken = outcomes.filter(({ subject, broken }) => subject === SUBJECTS[0] && broken.length > 0)
const brokenByPeers = new Set(
  outcomes.filter(({ subject, broken }) => subject !== SUBJECTS[0] && broken.length > 0).map(({ row }) => row.id),
)
const rows = new Set(outcomes.map(({ row }) => row.id))
console.log(
  `${SUBJECTS[0]} kept ${rows.size - broken.length} of ${rows.size} promises; a peer broke ${brokenByPeers.size}.`,
)
process.exitCode = broken.length === 0 ? 0 : 1
