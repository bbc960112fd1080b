/** Many environments side by side: their connections, and the time to the first row beside a single environment's. */
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import type { Stage } from '../stage/stage.ts'
import { answerOf } from './cold-start.ts'
import type { Progress } from './progress.ts'
import type { FleetFigures } from './results.ts'
import { median, spread } from './statistics.ts'

/** One run of a single environment is not enough to compare with: it is repeated this often. */
const SINGLES = 7

/**
 * Starts them one after the other and leaves them all alive with their connections. Starting them at once would measure how
 * the machine shares its processors; on Lambda each environment has its own.
 */
async function firstRows(stage: Stage, count: number): Promise<{ firstRowsMs: number[]; connections: number }> {
  stage.cloud.resetCounts()
  const environments: ExecutionEnvironment[] = []
  try {
    const firstRowsMs: number[] = []
    for (let index = 0; index < count; index += 1) {
      const environment = await stage.startEnvironment('ours')
      environments.push(environment)
      firstRowsMs.push(answerOf(await environment.invoke({})).sinceLoadingMs)
    }
    // Warm, once more: still the same connections.
    for (const environment of environments) answerOf(await environment.invoke({}))
    return { firstRowsMs, connections: stage.cloud.counts.tcp }
  } finally {
    await Promise.all(environments.map((environment) => environment.shutdown()))
  }
}

export async function fleetFigures(
  stage: Stage,
  counts: readonly number[],
  progress: Progress,
): Promise<FleetFigures[]> {
  stage.delay({ rttMs: 0, secretMs: 20 })
  const singlesMs: number[] = []
  let connections = 0
  progress('environments side by side: 1')
  for (let single = 0; single < SINGLES; single += 1) {
    const alone = await firstRows(stage, 1)
    singlesMs.push(...alone.firstRowsMs)
    connections = Math.max(connections, alone.connections)
  }
  const figures: FleetFigures[] = [{ environments: 1, connections, firstRowMs: spread(singlesMs), ratioToOne: 1 }]
  for (const environments of counts) {
    progress(`environments side by side: ${environments}`)
    const { firstRowsMs, connections: seen } = await firstRows(stage, environments)
    const ratioToOne = median(firstRowsMs) / median(singlesMs)
    figures.push({ environments, connections: seen, firstRowMs: spread(firstRowsMs), ratioToOne })
  }
  return figures
}
