/** Cold starts by the function's memory: the processor is limited from the end of the init phase on, as on Lambda. */
import { ProcessorQuota } from '../stage/processor-quota.ts'
import type { Delays, Stage } from '../stage/stage.ts'
import { MEMORY_SUBJECTS, type SubjectName, subjectSource } from '../stage/subjects.ts'
import { type ColdStart, coldStart } from './cold-start.ts'
import type { Progress } from './progress.ts'
import type { MemoryFigures, MemorySection } from './results.ts'
import { pairedRatio, spread } from './statistics.ts'

export interface MemoryRounds {
  readonly sizesMb: readonly number[]
  readonly rounds: number
  /** Of the subjects that no goal is about. */
  readonly peerRounds: number
  readonly delays: Delays
}

function isInGoals(subject: SubjectName): boolean {
  return subjectSource(subject).usesLayer === true || subject === 'naive-bundled' || subject === 'floor'
}

/** Every size in each round, so that what slows the machine for a while slows all. */
export async function memoryFigures(
  stage: Stage,
  { sizesMb, rounds, peerRounds, delays }: MemoryRounds,
  progress: Progress,
): Promise<MemorySection> {
  stage.delay(delays)
  const starts = new Map<string, ColdStart[]>()
  const of = (memoryMb: number, subject: SubjectName) => starts.get(`${memoryMb} ${subject}`) ?? []
  for (let round = 0; round < rounds; round += 1) {
    const subjects = MEMORY_SUBJECTS.filter((subject) => round < peerRounds || isInGoals(subject))
    const first = round % subjects.length
    for (const memoryMb of sizesMb) {
      progress(`cold starts with ${memoryMb} MB: round ${round + 1} of ${rounds}`)
      let quota: ProcessorQuota
      try {
        quota = new ProcessorQuota(memoryMb)
      } catch (error) {
        return { figures: [], unavailable: error instanceof Error ? error.message : String(error) }
      }
      using limit = quota
      for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
        const start = await coldStart(stage, subject, { memoryMb, quota: limit })
        starts.set(`${memoryMb} ${subject}`, [...of(memoryMb, subject), start])
      }
    }
  }
  return { figures: sizesMb.flatMap((memoryMb) => figuresOf(memoryMb, (subject) => of(memoryMb, subject))) }
}

function figuresOf(memoryMb: number, starts: (subject: SubjectName) => readonly ColdStart[]): MemoryFigures[] {
  const firstRows = (subject: SubjectName) => starts(subject).map(({ sinceLoadingMs }) => sinceLoadingMs)
  return MEMORY_SUBJECTS.map((subject) => ({
    subject,
    memoryMb,
    firstRowMs: spread(firstRows(subject)),
    handlerMs: spread(starts(subject).map(({ handlerMs }) => handlerMs)),
    processorMs: spread(starts(subject).map(({ processorMs }) => processorMs)),
    ratioToBundled: pairedRatio(firstRows(subject), firstRows('naive-bundled')),
    ratioToFloor: pairedRatio(firstRows(subject), firstRows('floor')),
  }))
}
