/** The time of loading a module, each in a process of its own. */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Progress } from './progress.ts'
import type { ImportFigures } from './results.ts'
import { pairedRatio, spread } from './statistics.ts'

const run = promisify(execFile)
const { resolve } = createRequire(import.meta.url)
const PROBE = join(import.meta.dirname, 'import-probe.cjs')
const LAYER_MODULE = join(import.meta.dirname, '../../dist/layer/nodejs/node_modules/cockroach-lambda')
/** Callgrind runs some fifty times slower than the processor. */
const CALLGRIND_TIMEOUT_MS = 180_000

const PROBED = [
  { title: '`pg` + AWS SDK, unbundled', files: [resolve('pg'), resolve('@aws-sdk/client-secrets-manager')] },
  { title: '**cockroach-lambda** in the layer', files: [join(LAYER_MODULE, 'index.cjs')] },
  {
    title: '**cockroach-lambda** in the layer, with its pool',
    files: [join(LAYER_MODULE, 'index.cjs'), join(import.meta.dirname, 'make-pool.cjs')],
  },
  {
    title: '**cockroach-lambda** in the layer, with its AWS SDK',
    files: [join(LAYER_MODULE, 'index.cjs'), join(LAYER_MODULE, 'secrets-manager.cjs')],
  },
  { title: '`pg` alone, unbundled', files: [resolve('pg')] },
  { title: "Node's own `https`, `tls` and `crypto`", files: ['node:https', 'node:tls', 'node:crypto'] },
] as const

interface Probe {
  readonly ms: number
  readonly processorMs: number
}

async function probe(files: readonly string[]): Promise<Probe> {
  const { stdout } = await run(process.execPath, [PROBE, ...files])
  return JSON.parse(stdout)
}

/** Millions of instructions, without those of a process that loads nothing; null where there is no valgrind. */
async function instructions(files: readonly string[]): Promise<number | null> {
  try {
    const { stderr } = await run(
      'valgrind',
      [
        ...['--tool=callgrind', '--callgrind-out-file=/dev/null', '--smc-check=all-non-file'],
        ...[process.execPath, '--single-threaded', '--predictable', '--hash-seed=1', PROBE, ...files],
      ],
      { timeout: CALLGRIND_TIMEOUT_MS, maxBuffer: 10_000_000 },
    )
    const [, count] = /Collected\s*:\s*(\d+)/.exec(stderr) ?? []
    return count === undefined ? null : Number(count) / 1_000_000
  } catch {
    return null
  }
}

export async function importFigures(
  { rounds, countsInstructions }: { rounds: number; countsInstructions: boolean },
  progress: Progress,
): Promise<ImportFigures[]> {
  const probes = PROBED.map((): Probe[] => [])
  for (let round = -1; round < rounds; round += 1) {
    progress(`imports: round ${Math.max(round + 1, 0)} of ${rounds}`)
    for (const [index, { files }] of PROBED.entries()) {
      const figures = await probe(files)
      if (round >= 0) probes[index]?.push(figures)
    }
  }
  const times = probes.map((own) => own.map(({ ms }) => ms))
  const figures: ImportFigures[] = []
  const base = countsInstructions ? await instructions([]) : null
  for (const [index, { title, files }] of PROBED.entries()) {
    if (base !== null) progress(`instructions of importing ${title}`)
    const total = base === null ? null : await instructions(files)
    figures.push({
      title,
      ms: spread(times[index] ?? []),
      processorMs: spread((probes[index] ?? []).map(({ processorMs }) => processorMs)),
      ratio: pairedRatio(times[index] ?? [], times[0] ?? []),
      instructionsM: total === null || base === null ? null : total - base,
    })
  }
  return figures
}
