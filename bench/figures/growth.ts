/** Time and memory of one environment after few, many and very many warm invocations. */

import type { Stage } from '../stage/stage.ts'
import type { SubjectName } from '../stage/subjects.ts'
import type { BenchEvent } from '../subjects/measured.ts'
import { answerOf } from './cold-start.ts'
import type { Progress } from './progress.ts'
import type { GrowthFigures } from './results.ts'

const MEGABYTE = 1_000_000

/** @param marks numbers of invocations, growing; they are calls of the handler in its process, without the runtime in between */
export async function growthFigures(
  stage: Stage,
  subjects: readonly SubjectName[],
  marks: readonly number[],
  progress: Progress,
): Promise<GrowthFigures[]> {
  stage.delay({ rttMs: 0, secretMs: 0 })
  const figures: GrowthFigures[] = []
  for (const subject of subjects) {
    await using environment = await stage.startEnvironment(subject)
    const first: BenchEvent = {}
    answerOf(await environment.invoke(first))
    let done = 0
    for (const invocations of marks) {
      progress(`${subject}: ${invocations} warm invocations`)
      const event: BenchEvent = { times: invocations - done, collects: true }
      const { handlerMs, rssBytes, heapBytes } = answerOf(await environment.invoke(event))
      const invocationUs = (handlerMs * 1000) / (invocations - done)
      figures.push({ subject, invocations, invocationUs, rssMb: rssBytes / MEGABYTE, heapMb: heapBytes / MEGABYTE })
      done = invocations
    }
  }
  return figures
}
