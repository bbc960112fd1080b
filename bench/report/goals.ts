/** The goals of docs/performance.md, each judged by the figures of a run. */
import type { Goal, Results } from '../figures/results.ts'
import { SUBJECTS, type SubjectName, subjectSource } from '../stage/subjects.ts'

const PEERS = SUBJECTS.filter((subject) => subject !== 'floor' && !subjectSource(subject).usesLayer)
const OURS = SUBJECTS.filter((subject) => subjectSource(subject).usesLayer)

type Figures = Omit<Results, 'goals'>

const ratio = (value: number): string => `${value.toFixed(2)} x`

/** The worse of ESM and CommonJS, without and with the server in the environment. */
function worst(figures: Figures, rttMs: number, base: 'ratioToNaive' | 'ratioToFloor', knowsServer: boolean): number {
  const own = figures.cold.filter(
    ({ subject, rttMs: rtt }) =>
      rtt === rttMs && OURS.includes(subject) && (subjectSource(subject).knowsServer ?? false) === knowsServer,
  )
  return Math.max(...own.map((cold) => cold[base]))
}

function atMost(goal: string, limit: number, late: number, early: number): Goal {
  return {
    goal,
    measured: `${ratio(late)}; ${ratio(early)} with the server in the environment`,
    isMet: late <= limit && early <= limit,
  }
}

const MEMORY_LIMITS = [
  { sizesMb: [128, 256, 512], bundled: 0.25, floor: 0.5 },
  { sizesMb: [1769], bundled: 0.6, floor: 1.2 },
] as const

function memoryGoals({ memory }: Figures): Goal[] {
  const own = (memory?.figures ?? []).filter(({ subject }) => subjectSource(subject).usesLayer)
  if (own.length === 0) return []
  const ready = own.filter(({ subject }) => subjectSource(subject).waitsInInit)
  const worstOf = (values: readonly number[]): number => Math.max(...values)
  const waiting = MEMORY_LIMITS.flatMap(({ sizesMb, bundled, floor }) =>
    sizesMb.flatMap((size) => {
      const at = ready.filter(({ memoryMb }) => memoryMb === size)
      if (at.length === 0) return []
      const toBundled = worstOf(at.map(({ ratioToBundled }) => ratioToBundled))
      const toFloor = worstOf(at.map(({ ratioToFloor }) => ratioToFloor))
      return {
        goal: `${size} MB, connected in init: at most ${bundled} x \`pg\` + AWS SDK bundled, ${floor} x the floor`,
        measured: `${ratio(toBundled)}, ${ratio(toFloor)}`,
        isMet: toBundled <= bundled && toFloor <= floor,
      }
    }),
  )
  const handlerMs = worstOf(ready.filter(({ memoryMb }) => memoryMb === 512).map((one) => one.handlerMs.median))
  const late = own.filter(({ subject }) => !subjectSource(subject).waitsInInit)
  const sizes = [...new Set(late.map(({ memoryMb }) => memoryMb))].map((size) => ({
    size,
    toFloor: worstOf(late.filter(({ memoryMb }) => memoryMb === size).map(({ ratioToFloor }) => ratioToFloor)),
  }))
  return [
    ...waiting,
    {
      goal: '512 MB, connected in init: the first invocation’s handler takes at most 10 ms',
      measured: `${handlerMs.toFixed(1)} ms`,
      isMet: handlerMs <= 10,
    },
    {
      goal: 'at every memory size, not waiting in init: at most 1.1 x the floor',
      measured: sizes.map(({ size, toFloor }) => `${size} MB: ${ratio(toFloor)}`).join(', '),
      isMet: sizes.every(({ toFloor }) => toFloor <= 1.1),
    },
  ]
}

/** Without a network's waits; the worse of ours. */
function processorGoal({ cold }: Figures): Goal {
  const own = cold.filter(({ subject, rttMs }) => rttMs === 0 && OURS.includes(subject))
  const times = Math.max(...own.map(({ processorRatioToFloor }) => processorRatioToFloor))
  return { goal: 'cold: at most 1.15 x the floor’s processor time', measured: ratio(times), isMet: times <= 1.15 }
}

function coldGoals(figures: Figures): Goal[] {
  return [...new Set(figures.cold.map(({ rttMs }) => rttMs))].flatMap((rttMs) => {
    const at = figures.cold.filter((cold) => cold.rttMs === rttMs)
    const medians = (subjects: readonly SubjectName[]) =>
      at.filter(({ subject }) => subjects.includes(subject)).map(({ firstRowMs }) => firstRowMs.median)
    const slowestOfOurs = Math.max(...medians(OURS))
    const fastestPeer = Math.min(...medians(PEERS))
    const both = (base: 'ratioToNaive' | 'ratioToFloor') =>
      [worst(figures, rttMs, base, false), worst(figures, rttMs, base, true)] as const
    return [
      ...(rttMs <= 1
        ? [atMost(`cold, ${rttMs} ms round trips: at most 0.5 x naive unbundled`, 0.5, ...both('ratioToNaive'))]
        : []),
      {
        goal: `cold, ${rttMs} ms round trips: faster than every peer`,
        measured: `${slowestOfOurs.toFixed(0)} ms, the fastest peer ${fastestPeer.toFixed(0)} ms`,
        isMet: slowestOfOurs < fastestPeer,
      },
      ...(rttMs === 0 ? [atMost('cold, 0 ms: at most 1.15 x the floor', 1.15, ...both('ratioToFloor'))] : []),
      ...(rttMs === 70 ? [atMost('cold, 70 ms: at most 1.03 x the floor', 1.03, ...both('ratioToFloor'))] : []),
    ]
  })
}

function loadGoals({ load, imports, layer }: Figures): Goal[] {
  const of = (subject: SubjectName) => load.find((one) => one.subject === subject)
  const packets = Math.max(...OURS.map((subject) => of(subject)?.packets ?? Number.NaN))
  const floorPackets = of('floor')?.packets ?? Number.NaN
  const rss = Math.max(...OURS.map((subject) => of(subject)?.rssMb ?? Number.NaN))
  const heap = Math.max(...OURS.map((subject) => of(subject)?.heapMb ?? Number.NaN))
  const { rssMb: naiveRss = Number.NaN, heapMb: naiveHeap = Number.NaN } = of('naive') ?? {}
  const imported = (title: RegExp): number => imports.find((one) => title.test(one.title))?.ratio ?? Number.NaN
  return [
    {
      goal: 'cold: no more round trips than the floor',
      measured: `${packets} packets sent, the floor ${floorPackets}`,
      isMet: packets <= floorPackets,
    },
    {
      goal: "import of the layer's module: at most 0.5 x of `pg` + AWS SDK unbundled",
      measured: `${ratio(imported(/in the layer$/))}; ${ratio(imported(/its pool$/))} with its pool, which runs \`pg\` later`,
      isMet: imported(/in the layer$/) <= 0.5,
    },
    {
      goal: 'memory after the first query: at most the naive function’s',
      measured: `${rss.toFixed(0)} MB resident and ${heap.toFixed(1)} MB of heap, naive ${naiveRss.toFixed(0)} and ${naiveHeap.toFixed(1)}`,
      isMet: rss <= naiveRss && heap <= naiveHeap,
    },
    {
      goal: '`layer.zip`: at most 110 kB, unpacked at most 400 kB',
      measured: `${(layer.zippedBytes / 1000).toFixed(1)} kB, ${(layer.unpackedBytes / 1000).toFixed(1)} kB`,
      isMet: layer.zippedBytes <= 110_000 && layer.unpackedBytes <= 400_000,
    },
  ]
}

function warmGoals({ overlap, warm }: Figures): Goal[] {
  return [
    {
      goal: 'overlap, 70 ms round trips and a 150 ms secret: at least 130 ms saved',
      measured: `${overlap.savedMs.toFixed(0)} ms`,
      isMet: overlap.savedMs >= 130,
    },
    {
      goal: 'warm: no extra round trip',
      measured: `${warm.packetsQuery} packets for 100 statements, a bare client ${warm.packetsClientQuery}`,
      isMet: warm.packetsQuery <= warm.packetsClientQuery,
    },
    { goal: "warm: at most 1.05 x a bare client's time", measured: ratio(warm.ratio), isMet: warm.ratio <= 1.05 },
    {
      goal: 'warm: at most 20 µs of processor time added',
      measured: `${warm.processorAdded.toFixed(1)} µs`,
      isMet: warm.processorAdded <= 20,
    },
  ]
}

/** Flat: no more than this many times what it was before. */
const FLAT = 1.1

function growthGoals({ growth, fleet }: Figures): Goal[] {
  const own = growth.filter(({ subject }) => subject === 'ours')
  const [before, level, last] = own.slice(-3)
  const times = (figure: 'invocationUs' | 'heapMb' | 'rssMb', since = before): number =>
    (last?.[figure] ?? Number.NaN) / (since?.[figure] ?? Number.NaN)
  const [time, heap, resident] = [times('invocationUs'), times('heapMb'), times('rssMb')]
  const levels = `${ratio(times('rssMb', level))} since ${level?.invocations}`
  const most = fleet.at(-1)
  return [
    {
      goal: `growth: time, heap and resident memory after ${last?.invocations} warm invocations as after ${before?.invocations}`,
      measured: `${ratio(time)} the time, ${ratio(heap)} the heap, ${ratio(resident)} the resident memory (${levels})`,
      isMet: time <= FLAT && heap <= FLAT && resident <= FLAT,
    },
    {
      goal: 'environments: as many connections',
      measured: fleet.map(({ environments, connections }) => `${environments}: ${connections}`).join(', '),
      isMet: fleet.every(({ environments, connections }) => environments === connections),
    },
    {
      goal: 'environments: first row within 1.3 x of a single one’s',
      measured: `${most?.environments}: ${ratio(most?.ratioToOne ?? Number.NaN)}`,
      isMet: fleet.every(({ ratioToOne }) => ratioToOne <= 1.3),
    },
  ]
}

const LONG_TEXT_MS = 20

function longTextGoals({ longTexts = [] }: Figures): Goal[] {
  return longTexts.slice(0, 1).map(({ title, length, ms }) => ({
    goal: `the worst text of ${Math.round(length / 1024)} kB: read in ${LONG_TEXT_MS} ms`,
    measured: `${ms.median.toFixed(1)} ms (${title})`,
    isMet: ms.median < LONG_TEXT_MS,
  }))
}

export function judge(figures: Figures): Goal[] {
  return [
    ...[
      ...memoryGoals(figures),
      ...coldGoals(figures),
      processorGoal(figures),
      ...loadGoals(figures),
      ...warmGoals(figures),
      ...growthGoals(figures),
    ],
    ...longTextGoals(figures),
  ]
}
