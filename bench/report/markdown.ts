/** Writes a run's results as tables for people. */
import type { ColdFigures, MemoryFigures, Results } from '../figures/results.ts'
import type { Spread } from '../figures/statistics.ts'
import { subjectSource } from '../stage/subjects.ts'

const ms = ({ median, q1, q3 }: Spread): string => `${median.toFixed(1)} (${q1.toFixed(1)} to ${q3.toFixed(1)})`
const ratio = (value: number): string => `${value.toFixed(2)} x`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(head), `|${rule.join('|')}|`, ...rows.map(line)].join('\n')
}

/** The first row by memory size, in whole milliseconds, of the subjects in their order. */
export function memoryTable(figures: readonly MemoryFigures[]): string {
  const sizesMb = [...new Set(figures.map(({ memoryMb }) => memoryMb))]
  const subjects = [...new Set(figures.map(({ subject }) => subject))]
  const cell = (one: MemoryFigures | undefined) => (one === undefined ? '' : `${one.firstRowMs.median.toFixed(0)} ms`)
  return table(
    ['function', ...sizesMb.map((memoryMb) => `${memoryMb.toLocaleString('en-US')} MB`)],
    subjects.map((subject) => [
      subjectSource(subject).title,
      ...sizesMb.map((size) => cell(figures.find((one) => one.subject === subject && one.memoryMb === size))),
    ]),
  )
}

function memoryDetails(figures: readonly MemoryFigures[]): string {
  return table(
    ['function', 'MB', 'first row, ms', 'x bundled', 'x floor', 'handler, ms', 'processor, ms', 'rounds'],
    figures.map((one) => [
      subjectSource(one.subject).title,
      String(one.memoryMb),
      ms(one.firstRowMs),
      ratio(one.ratioToBundled),
      ratio(one.ratioToFloor),
      ms(one.handlerMs),
      ms(one.processorMs),
      String(one.firstRowMs.count),
    ]),
  )
}

export const MEMORY_METHOD =
  'Cold starts by the function’s memory, with 1 ms round trips and a secret that takes 20 ms, from the load of the function’s module to the first row. From the end of the init phase on, the kernel limits the process to Lambda’s part of a processor: a whole one at 1,769 MB, less in proportion below.'

function memorySection({ memory }: Results): string[] {
  if (memory === undefined) return []
  const heading = '## Cold start by memory'
  if (memory.unavailable !== undefined) {
    return [heading, `Not measured: no control group for the processor could be made (${memory.unavailable}).`]
  }
  return [heading, MEMORY_METHOD, memoryTable(memory.figures), memoryDetails(memory.figures)]
}

function coldTable(cold: readonly ColdFigures[]): string {
  const head = ['function', 'first row, ms', 'x naive', 'x floor', 'processor, ms', 'bare runtime, ms']
  return table(
    head,
    cold.map((one) => [
      subjectSource(one.subject).title,
      ms(one.firstRowMs),
      ratio(one.ratioToNaive),
      ratio(one.ratioToFloor),
      ms(one.processorMs),
      one.bareRuntimeMs.median.toFixed(0),
    ]),
  )
}

function loadTable({ load }: Results): string {
  const head = ['function', 'files', 'code, kB', "Node's modules", 'secret requests', 'connections']
  return table(
    [...head, 'packets', 'bytes out', 'bytes in', 'resident, MB', 'heap, MB'],
    load.map((one) => [
      subjectSource(one.subject).title,
      ...[one.modules, Math.round(one.codeBytes / 1000), one.builtins, one.secretRequests].map(String),
      ...[one.connections, one.packets, one.bytesSent, one.bytesReceived].map(String),
      one.rssMb.toFixed(0),
      one.heapMb.toFixed(1),
    ]),
  )
}

function importTable({ imports }: Results): string {
  return table(
    ['module', 'ms', 'x the first', 'processor, ms', 'instructions, millions'],
    imports.map((one) => [
      one.title,
      ms(one.ms),
      ratio(one.ratio),
      ms(one.processorMs),
      one.instructionsM?.toFixed(0) ?? 'not counted',
    ]),
  )
}

function warmTable({ warm }: Results): string {
  return table(
    ['per statement', 'time, µs', 'processor, µs', 'packets of 100'],
    [
      ['`query()`', ms(warm.query), ms(warm.processorQuery), String(warm.packetsQuery)],
      [
        '`client.query()`, bare client',
        ms(warm.clientQuery),
        ms(warm.processorClientQuery),
        String(warm.packetsClientQuery),
      ],
    ],
  )
}

function growthTable({ growth }: Results): string {
  return table(
    ['function', 'invocations', 'each, µs', 'resident, MB', 'heap, MB'],
    growth.map((one) => [
      subjectSource(one.subject).title,
      one.invocations.toLocaleString('en-US'),
      one.invocationUs.toFixed(0),
      one.rssMb.toFixed(0),
      one.heapMb.toFixed(1),
    ]),
  )
}

function fleetTable({ fleet }: Results): string {
  return table(
    ['environments', 'connections', 'first row, ms', 'x a single one'],
    fleet.map((one) => [
      String(one.environments),
      String(one.connections),
      ms(one.firstRowMs),
      one.ratioToOne.toFixed(2),
    ]),
  )
}

function longTextSection({ longTexts = [] }: Results): string[] {
  if (longTexts.length === 0) return []
  const rows = longTexts.slice(0, 5).map(({ title, length, ms: time }) => [title, String(length), ms(time)])
  return [
    '## Long texts',
    'The five that take longest to be read, of all that were tried.',
    table(['text', 'characters', 'ms'], rows),
  ]
}

export function goalsTable({ goals }: Results): string {
  return table(
    ['goal', 'measured', ''],
    goals.map(({ goal, measured, isMet }) => [goal, measured, isMet ? 'met' : '**not met**']),
  )
}

/** How it was measured, in one paragraph. */
export function method({ machine, rounds, roundTrips, isQuick, secretProtocol }: Results): string {
  const quick = isQuick ? ' (a quick run: too few to judge by)' : ''
  const trips = roundTrips.map(({ rttMs, measuredMs }) => `${rttMs} ms took ${measuredMs.toFixed(1)} ms`).join(', ')
  return [
    `Measured on ${machine.at.slice(0, 10)} with Node.js ${machine.node} on ${machine.processors} processors (${machine.processor}), ${rounds} rounds in turns${quick}; load average ${machine.loadBefore.toFixed(1)} before and ${machine.loadAfter.toFixed(1)} after.`,
    `Functions run in this repository's Lambda runner and reach a real PostgreSQL over verified TLS through a stand-in for CockroachDB Cloud, which adds the round-trip times (${trips}); the secret comes from a stand-in for Secrets Manager over ${secretProtocol === undefined ? 'plain HTTP' : 'HTTPS'}.`,
    'Real Lambda, real Secrets Manager and real CockroachDB Cloud were not measured.',
  ].join(' ')
}

/** `results.md`. */
export function resultsText(results: Results): string {
  const { cold, overlap } = results
  const coldSections = [...new Set(cold.map(({ rttMs }) => rttMs))].flatMap((rttMs) => [
    `## Cold start, ${rttMs} ms to the database and back`,
    coldTable(cold.filter((one) => one.rttMs === rttMs)),
  ])
  return `${[
    '# Benchmark',
    method(results),
    'Times are medians with their quartiles; ratios are medians of the ratios round by round. A cold start counts from the moment the runtime begins to load the function’s module to the first row; the secret takes 20 ms.',
    '## Goals',
    goalsTable(results),
    ...memorySection(results),
    ...coldSections,
    '## What a cold start loads, sends and keeps',
    'Files and code are those loaded for the function; Node’s modules come on top of those that the runtime has loaded. Packets are the client’s writes that reach the database.',
    loadTable(results),
    '## Import alone',
    importTable(results),
    '## Overlap',
    `With 70 ms round trips and a secret that takes 150 ms, the first row is there after ${ms(overlap.lateMs)} ms; with host, user and database in the environment, so that TCP and TLS are opened while the secret is read, after ${ms(overlap.earlyMs)} ms. Saved: ${overlap.savedMs.toFixed(0)} ms.`,
    '## Warm statements',
    `In one process, in turns, \`select 1\`: ${ratio(results.warm.ratio)} the time, ${results.warm.processorAdded.toFixed(1)} µs of processor time added.`,
    warmTable(results),
    '## Growth',
    'Invocations are calls of the handler in its process, without the runtime in between.',
    growthTable(results),
    '## Environments side by side',
    'Started one after the other, all alive with their connections.',
    fleetTable(results),
    ...longTextSection(results),
  ].join('\n\n')}\n`
}
