/** The measured parts of the documentation, which the benchmark writes and `npm run check` compares with `results.json`. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Results } from './figures/results.ts'
import { MEMORY_METHOD, memoryTable, method } from './report/markdown.ts'
import { type SubjectName, subjectSource } from './stage/subjects.ts'

const REPOSITORY = join(import.meta.dirname, '..')
const BEGIN = '<!-- bench:begin, written by `npm run bench` -->'
const END = '<!-- bench:end -->'

/** The rows that README shows: with and without waiting in init, and what they are compared with. */
const SHORT_LIST: readonly SubjectName[] = ['ours-ready', 'ours', 'floor', 'naive-bundled']

function shortTable({ memory }: Results): string {
  const figures = memory?.figures ?? []
  return memoryTable(SHORT_LIST.flatMap((subject) => figures.filter((one) => one.subject === subject)))
}

/** All of docs/performance.md that is measured. */
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

const PAGES = [
  { path: 'docs/performance.md', text: section },
  { path: 'README.md', text: shortTable },
  { path: 'README.ja.md', text: shortTable },
] as const

/** The page with that text in it. @throws Error when it lacks the markers */
export function withSection(page: string, text: string): string {
  const begin = page.indexOf(BEGIN)
  const end = page.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`)
  return `${page.slice(0, begin + BEGIN.length)}\n${text}\n${page.slice(end)}`
}

export async function writePerformancePages(results: Results): Promise<void> {
  for (const { path, text } of PAGES) {
    const file = join(REPOSITORY, path)
    await writeFile(file, withSection(await readFile(file, 'utf8'), text(results)))
  }
}

/** The pages that do not say what `results.json` says. */
export async function outdatedPages(): Promise<readonly string[]> {
  const results: Results = JSON.parse(await readFile(join(import.meta.dirname, 'results.json'), 'utf8'))
  const outdated: string[] = []
  for (const { path, text } of PAGES) {
    const page = await readFile(join(REPOSITORY, path), 'utf8')
    if (page !== withSection(page, text(results))) outdated.push(path)
  }
  return outdated
}
