/** Cold starts of all subjects in turns, and what one of each loads, sends, and holds in memory. */

import type { Delays, Stage } from '../stage/stage.ts'
import { SUBJECTS, type SubjectName } from '../stage/subjects.ts'
import { type ColdStart, coldStart } from './cold-start.ts'
import type { Progress } from './progress.ts'
import type { ColdFigures, LoadFigures } from './results.ts'
import { pairedRatio, spread } from './statistics.ts'

const MEGABYTE = 1_000_000

export type ColdStarts = ReadonlyMap<SubjectName, readonly ColdStart[]>

/** Each round begins with another subject, so that the order differs. The round before the first fills the disk's cache. */
export async function coldRounds(
  stage: Stage,
  subjects: readonly SubjectName[],
  { delays, rounds, warmsUp }: { delays: Delays; rounds: number; warmsUp: boolean },
  progress: Progress,
): Promise<ColdStarts> {
  stage.delay(delays)
  const starts = new Map<SubjectName, ColdStart[]>(subjects.map((subject) => [subject, []]))
  for (let round = warmsUp ? -1 : 0; round < rounds; round += 1) {
    progress(`cold starts, ${delays.rttMs} ms round trips: round ${Math.max(round + 1, 0)} of ${rounds}`)
    const first = Math.max(round, 0) % subjects.length
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const start = await coldStart(stage, subject)
      if (round >= 0) starts.get(subject)?.push(start)
    }
  }
  return starts
}

export function coldFigures(starts: ColdStarts, rttMs: number): ColdFigures[] {
  const firstRows = (subject: SubjectName) => (starts.get(subject) ?? []).map(({ sinceLoadingMs }) => sinceLoadingMs)
  const processor = (subject: SubjectName) => (starts.get(subject) ?? []).map(({ processorMs }) => processorMs)
  return [...starts].map(([subject, own]) => ({
    subject,
    rttMs,
    bareRuntimeMs: spread(own.map(({ loadingBeganMs }) => loadingBeganMs)),
    firstRowMs: spread(firstRows(subject)),
    processorMs: spread(processor(subject)),
    processorRatioToFloor: pairedRatio(processor(subject), processor('floor')),
    ratioToNaive: pairedRatio(firstRows(subject), firstRows('naive')),
    ratioToFloor: pairedRatio(firstRows(subject), firstRows('floor')),
  }))
}

/** Not in the timed cold starts, since counting modules slows their loading; the heap is measured after a garbage collection. */
export async function loadFigures(stage: Stage, progress: Progress): Promise<LoadFigures[]> {
  const figures: LoadFigures[] = []
  stage.delay({ rttMs: 0, secretMs: 0 })
  for (const subject of SUBJECTS) {
    progress(`modules and memory of ${subject}`)
    const { loaded } = await coldStart(stage, subject, { countsModules: true })
    const weighed = await coldStart(stage, subject, { collects: true })
    figures.push({
      subject,
      modules: loaded?.modules ?? Number.NaN,
      codeBytes: loaded?.bytes ?? Number.NaN,
      builtins: loaded?.builtins ?? Number.NaN,
      secretRequests: weighed.secretRequests,
      connections: weighed.connections,
      packets: weighed.packets,
      bytesSent: weighed.bytesSent,
      bytesReceived: weighed.bytesReceived,
      rssMb: weighed.rssBytes / MEGABYTE,
      heapMb: weighed.heapBytes / MEGABYTE,
    })
  }
  return figures
}
