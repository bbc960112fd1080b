/** Runs one row for one subject: injects the fault `runs` times, audits, and reports which promises broke. */
import type { SuperuserConfig } from '../../local/postgres/admin.ts'
import type { FaultRow } from './fault-row.ts'
import { seededRandom } from './random.ts'
import { Stage, type StageLaunch } from './stage.ts'
import type { SubjectCode, SubjectName } from './subject-code.ts'
import type { Tally } from './tally.ts'

export interface RowOptions {
  readonly subject: SubjectName
  readonly code: SubjectCode
  readonly postgres: SuperuserConfig
  /** How often the fault is injected. */
  readonly runs: number
  readonly seed: number
  /** @default the runner's own runtime */
  readonly launch?: StageLaunch
}

export interface RowOutcome {
  readonly row: FaultRow
  readonly subject: SubjectName
  readonly tally: Tally
  /** The promises that broke, one sentence each; empty when all were kept. */
  readonly broken: readonly string[]
  /** Shown below the table. */
  readonly notes: readonly string[]
}

/** What every row promises: nothing twice, nothing lost, nothing that must never happen. */
function brokenAlways({ duplicatedWrites, lostWrites, violations }: Tally): string[] {
  return [
    ...(duplicatedWrites > 0 ? [`${duplicatedWrites} writes are there twice`] : []),
    ...(lostWrites > 0 ? [`${lostWrites} acknowledged writes are not there`] : []),
    ...new Set(violations),
  ]
}

/** A row's own random numbers, so that they do not depend on which rows run. */
function seedOf(row: FaultRow, seed: number): number {
  return [...row.id].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), seed)
}

export async function runRow(row: FaultRow, options: RowOptions): Promise<RowOutcome> {
  const { subject, code, postgres, runs, seed, launch } = options
  const random = seededRandom(seedOf(row, seed))
  await using stage = await Stage.open({
    subject,
    code,
    postgres,
    settings: row.settings ?? {},
    random,
    ...(launch && { launch }),
  })
  for (let run = 0; run < Math.min(runs, row.maxRuns ?? runs); run += 1) {
    stage.tally.injected += 1
    await row.inject(stage)
  }
  await stage.audit()
  return {
    row,
    subject,
    tally: stage.tally,
    notes: stage.notes,
    broken: [...brokenAlways(stage.tally), ...new Set(stage.findings), ...(await row.brokenPromises(stage))],
  }
}
