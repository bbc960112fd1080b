/** `query()` in a warm invocation beside `client.query()` on a bare client, in the same process, in turns, in some processes. */
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

/** V8 has compiled all of it after so many turns. */
const WARM_UP_TURNS = 10

export interface WarmTurns {
  /** One after the other: what V8 makes of the code, and with it the figures, differs from one process to the next. */
  readonly environments: number
  /** In each. */
  readonly turns: number
}

export async function warmFigures(
  stage: Stage,
  { environments, turns }: WarmTurns,
  progress: Progress,
): Promise<WarmFigures> {
  stage.delay({ rttMs: 0, secretMs: 0 })
  const answers = new Map<WarmEvent['way'], WarmAnswer[]>(WAYS.map((way) => [way, []]))
  const packets = new Map<WarmEvent['way'], number>()
  for (let number = 1; number <= environments; number += 1) {
    progress(`warm statements: environment ${number} of ${environments}`)
    await using environment = await stage.startEnvironment('warm')
    for (let turn = -WARM_UP_TURNS; turn < turns; turn += 1) {
      for (const way of turn % 2 === 0 ? WAYS : WAYS.toReversed()) {
        const answer = await invoke(environment, { way, count: COUNT })
        if (turn >= 0) answers.get(way)?.push(answer)
      }
    }
    for (const way of WAYS) {
      stage.cloud.resetCounts()
      await invoke(environment, { way, count: PACKETS_OF })
      packets.set(way, stage.cloud.counts.clientPackets)
    }
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
    packetsQuery: packets.get('query()') ?? Number.NaN,
    packetsClientQuery: packets.get('client.query()') ?? Number.NaN,
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
