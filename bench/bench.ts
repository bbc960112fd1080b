/** `npm run bench`: everything in one run; writes `results.json`, `results.md` and the figures of docs/performance.md. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { arch, cpus, loadavg, platform } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { unzipSync } from 'fflate'
import { coldFigures, coldRounds, loadFigures } from './figures/cold.ts'
import { fleetFigures } from './figures/fleet.ts'
import { growthFigures } from './figures/growth.ts'
import { importFigures } from './figures/imports.ts'
import { longTextFigures } from './figures/long-texts.ts'
import { memoryFigures } from './figures/memory.ts'
import { progressSince } from './figures/progress.ts'
import type { ColdFigures, Results } from './figures/results.ts'
import { pairedDifference, spread } from './figures/statistics.ts'
import { measureRoundTrips, warmFigures } from './figures/warm.ts'
import { writePerformancePages } from './performance-pages.ts'
import { judge } from './report/goals.ts'
import { goalsTable, resultsText } from './report/markdown.ts'
import { Stage } from './stage/stage.ts'
import { SUBJECTS } from './stage/subjects.ts'

const LAYER = join(import.meta.dirname, '../dist/layer.zip')
const SECRET_MS = 20
const OVERLAP = { rttMs: 70, secretMs: 150 }

/** The number of rounds: all, or as many as fit into two minutes. */
const SIZES = {
  full: {
    rounds: 15,
    memory: { sizesMb: [128, 256, 512, 1024, 1769], rounds: 15, peerRounds: 5 },
    farRounds: 7,
    imports: 15,
    warm: { environments: 5, turns: 20 },
    rtts: [0, 1, 70],
    growth: [10, 1000, 20_000, 100_000],
    fleet: [10, 100],
  },
  quick: {
    rounds: 5,
    memory: { sizesMb: [128, 512], rounds: 1, peerRounds: 1 },
    farRounds: 2,
    imports: 4,
    warm: { environments: 2, turns: 4 },
    rtts: [0, 70],
    growth: [10, 1000, 5000, 10_000],
    fleet: [10],
  },
} as const

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } })
const size = values.quick ? SIZES.quick : SIZES.full
const progress = progressSince(performance.now())
const loadBefore = loadavg()[0] ?? Number.NaN

async function layerSizes(): Promise<Results['layer']> {
  const files = Object.values(unzipSync(await readFile(LAYER)))
  return { zippedBytes: (await stat(LAYER)).size, unpackedBytes: files.reduce((sum, { length }) => sum + length, 0) }
}

async function overlapOn(stage: Stage): Promise<Results['overlap']> {
  const rounds = { delays: OVERLAP, rounds: size.farRounds, warmsUp: false }
  const starts = await coldRounds(stage, ['ours', 'ours-early'], rounds, progress)
  const [late = [], early = []] = [...starts.values()].map((own) => own.map(({ sinceLoadingMs }) => sinceLoadingMs))
  return { lateMs: spread(late), earlyMs: spread(early), savedMs: pairedDifference(late, early) }
}

async function coldSection(stage: Stage): Promise<Results['cold']> {
  const cold: ColdFigures[] = []
  for (const [index, rttMs] of size.rtts.entries()) {
    const rounds = rttMs > 10 ? size.farRounds : size.rounds
    const delays = { rttMs, secretMs: SECRET_MS }
    cold.push(
      ...coldFigures(await coldRounds(stage, SUBJECTS, { delays, rounds, warmsUp: index === 0 }, progress), rttMs),
    )
  }
  return cold
}

/** In the order in which they run. */
const SECTIONS = {
  layer: layerSizes,
  roundTrips: (stage) => measureRoundTrips(stage, size.rtts, progress),
  cold: coldSection,
  memory: (stage) => memoryFigures(stage, { ...size.memory, delays: { rttMs: 1, secretMs: SECRET_MS } }, progress),
  load: (stage) => loadFigures(stage, progress),
  imports: () => importFigures({ rounds: size.imports, countsInstructions: !values.quick }, progress),
  overlap: overlapOn,
  warm: (stage) => warmFigures(stage, size.warm, progress),
  growth: (stage) => growthFigures(stage, ['ours', 'naive-bundled'], size.growth, progress),
  fleet: (stage) => fleetFigures(stage, size.fleet, progress),
  longTexts: async () => longTextFigures(),
} satisfies { readonly [Name in keyof Results]?: (stage: Stage) => Promise<Results[Name]> }

function isSection(name: string): name is keyof typeof SECTIONS {
  return Object.hasOwn(SECTIONS, name)
}

async function openStage(): Promise<Stage> {
  progress('bundling the functions, starting PostgreSQL')
  return await Stage.open()
}

async function measure(): Promise<Omit<Results, 'goals' | 'machine'>> {
  await using stage = await openStage()
  return {
    isQuick: values.quick,
    rounds: size.rounds,
    secretProtocol: 'https',
    layer: await SECTIONS.layer(),
    roundTrips: await SECTIONS.roundTrips(stage),
    cold: await SECTIONS.cold(stage),
    memory: await SECTIONS.memory(stage),
    load: await SECTIONS.load(stage),
    imports: await SECTIONS.imports(),
    overlap: await SECTIONS.overlap(stage),
    warm: await SECTIONS.warm(stage),
    growth: await SECTIONS.growth(stage),
    fleet: await SECTIONS.fleet(stage),
    longTexts: await SECTIONS.longTexts(),
  }
}

/** One section alone, as JSON; nothing is written to files. */
async function measureOnly(name: string): Promise<void> {
  if (!isSection(name)) throw new Error(`--only ${name}: expected one of ${Object.keys(SECTIONS).join(', ')}`)
  await using stage = await openStage()
  process.stdout.write(`${JSON.stringify(await SECTIONS[name](stage), null, 2)}\n`)
}

async function measureAll(): Promise<void> {
  const figures = await measure()
  const [processor] = cpus()
  const machine = {
    at: new Date().toISOString(),
    node: process.version,
    platform: `${platform()} ${arch()}`,
    processor: processor?.model ?? 'unknown',
    processors: cpus().length,
    loadBefore,
    loadAfter: loadavg()[0] ?? Number.NaN,
  }
  const results: Results = { machine, ...figures, goals: judge({ machine, ...figures }) }
  await writeFile(join(import.meta.dirname, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(join(import.meta.dirname, 'results.md'), resultsText(results))
  await writePerformancePages(results)
  process.stdout.write(`${goalsTable(results)}\n`)
}

await (values.only === undefined ? measureAll() : measureOnly(values.only))
