/** `query()` in a warm invocation beside `client.query()` on a bare client, in the same process, in turns. */
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import type { Stage } from '../stage/stage.ts'
import type { WarmAnswer, WarmEvent } from '../subjects/warm.ts'
import type { Progress } from './progress.ts'
import type { Results, WarmFigures } from './results.ts'
import { pairedDifference, pairedRatio, spread } from './statistics.ts'

/** Statements in one turn. */
const COUNT = 1000
const PACKETS_OF = 100
const WAYS = ['query()', 'client.query()'] as const

async function invoke(environment: ExecutionEnvironment, event: WarmEvent): Promise<WarmAnswer> {
  const { ok, payload, error } = await environment.invoke(event)
  if (!ok) throw new Error(`${error?.errorType}: ${error?.errorMessage}`)
  // Sound: it is the handler's declared result.
  return payload as WarmAnswer
}

export async function warmFigures(stage: Stage, turns: number, progress: Progress): Promise<WarmFigures> {
  stage.delay({ rttMs: 0, secretMs: 0 })
  await using environment = await stage.startEnvironment('warm')
  const answers = new Map<WarmEvent['way'], WarmAnswer[]>(WAYS.map((way) => [way, []]))
  // V8 has compiled all of it by then.
  const warmUpTurns = Math.ceil(turns / 4)
  for (let turn = -warmUpTurns; turn < turns; turn += 1) {
    if (turn % 10 === 0) progress(`warm statements: turn ${Math.max(turn, 0)} of ${turns}`)
    for (const way of turn % 2 === 0 ? WAYS : WAYS.toReversed()) {
      const answer = await invoke(environment, { way, count: COUNT })
      if (turn >= 0) answers.get(way)?.push(answer)
    }
  }
  const packets = async (way: WarmEvent['way']): Promise<number> => {
    stage.cloud.resetCounts()
    await invoke(environment, { way, count: PACKETS_OF })
    return stage.cloud.counts.clientPackets
  }
  const figuresOf = (way: WarmEvent['way'], figure: keyof WarmAnswer) =>
    (answers.get(way) ?? []).map((one) => one[figure])
  return {
    query: spread(figuresOf('query()', 'us')),
    clientQuery: spread(figuresOf('client.query()', 'us')),
    ratio: pairedRatio(figuresOf('query()', 'us'), figuresOf('client.query()', 'us')),
    processorQuery: spread(figuresOf('query()', 'processorUs')),
    processorClientQuery: spread(figuresOf('client.query()', 'processorUs')),
    processorAdded: pairedDifference(figuresOf('query()', 'processorUs'), figuresOf('client.query()', 'processorUs')),
    packetsQuery: await packets('query()'),
    packetsClientQuery: await packets('client.query()'),
  }
}

/** The round-trip time as measured: the stand-in's timers fire late. */
export async function measureRoundTrips(
  stage: Stage,
  rttsMs: readonly number[],
  progress: Progress,
): Promise<Results['roundTrips']> {
  await using environment = await stage.startEnvironment('warm')
  const measured: { rttMs: number; measuredMs: number }[] = []
  for (const rttMs of rttsMs) {
    progress(`round trips of ${rttMs} ms, measured`)
    stage.delay({ rttMs, secretMs: 0 })
    await invoke(environment, { way: 'client.query()', count: 10 })
    const { us } = await invoke(environment, { way: 'client.query()', count: 20 })
    measured.push({ rttMs, measuredMs: us / 1000 })
  }
  return measured
}
