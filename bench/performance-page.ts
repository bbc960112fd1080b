/** The measured part of docs/performance.md, which the benchmark writes and `npm run check` compares with `results.json`. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Results } from './figures/results.ts'
import { MEMORY_METHOD, memoryTable, method } from './report/markdown.ts'
import { subjectSource } from './stage/subjects.ts'

const PAGE = join(import.meta.dirname, '../docs/performance.md')
const BEGIN = '<!-- bench:begin, written by `npm run bench` -->'
const END = '<!-- bench:end -->'

/** The text between the markers. */
function section(results: Results): string {
  const { cold, memory, warm } = results
  const rtts = [...new Set(cold.map(({ rttMs }) => rttMs))]
  const subjects = [...new Set(cold.map(({ subject }) => subject))]
  const rows = subjects.map((subject) => {
    const cells = rtts.map((rttMs) => {
      const one = cold.find((candidate) => candidate.subject === subject && candidate.rttMs === rttMs)
      return one === undefined ? '' : `${one.firstRowMs.median.toFixed(0)} ms`
    })
    return `| ${[subjectSource(subject).title, ...cells].join(' | ')} |`
  })
  const byMemory =
    memory === undefined || memory.unavailable !== undefined ? [] : [MEMORY_METHOD, memoryTable(memory.figures)]
  return [
    ...byMemory,
    'Cold, from the load of the function’s module to the first row, with a secret that takes 20 ms; by round-trip time to the database:',
    [
      `| function | ${rtts.map((rttMs) => `${rttMs} ms`).join(' | ')} |`,
      `|---|${rtts.map(() => '---:|').join('')}`,
      ...rows,
    ].join('\n'),
    `Warm, \`query()\` takes ${warm.ratio.toFixed(2)} x the time of \`client.query()\` on a bare client, with the same packets, and adds ${warm.processorAdded.toFixed(0)} µs of processor time.`,
    `${method(results)} [bench/results.md](../bench/results.md) has all figures; \`npm run bench\` takes them anew.`,
  ].join('\n\n')
}

/** The page with that text in it. @throws Error when it lacks the markers */
export function withSection(page: string, text: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`docs/performance.md has no ${BEGIN} … ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`
}

export async function writePerformancePage(results: Results): Promise<void> {
  await writeFile(PAGE, withSection(await readFile(PAGE, 'utf8'), section(results)))
}

/** True when the page says what `results.json` says. */
export async function isPerformancePageCurrent(): Promise<boolean> {
  const results: Results = JSON.parse(await readFile(join(import.meta.dirname, 'results.json'), 'utf8'))
  const page = await readFile(PAGE, 'utf8')
  return page === withSection(page, section(results))
}
