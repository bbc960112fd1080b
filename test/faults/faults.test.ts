/** Every fault but those of crowd.test.ts, against this package, as often as vitest.config.ts says: its promises hold. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { nodePath } from '../../local/node-versions.ts'
import { withTable } from '../support/marked-table.ts'
import { promiseTable } from './promise-table.ts'
import { ROWS } from './rows.ts'
import { runRow } from './run-row.ts'
import { bundleSubjects, type SubjectCode } from './subject-code.ts'

const RUNS = inject('injections')
const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 31)
const TIME_LIMIT_MS = 180_000

let code: SubjectCode

beforeAll(async () => {
  code = await bundleSubjects()
})

afterAll(async () => {
  await code?.[Symbol.asyncDispose]()
})

test('docs/faults.md states these promises', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/faults.md'), 'utf8')
  expect(page).toBe(withTable(page, 'faults', promiseTable(ROWS)))
})

describe(`seed ${SEED}, on Node 22`, () => {
  const launch = { runtime: 'nodejs22.x', nodeBinary: nodePath(22) } as const
  test.each(ROWS.filter(({ id }) => id === '21a' || id === '22a'))('$id $fault: $caller', async (row) => {
    const options = { code, postgres: inject('postgres'), runs: 2, seed: SEED, launch }
    expect((await runRow(row, { ...options, subject: 'cockroach-lambda' })).broken).toEqual([])
  })
})

describe(`seed ${SEED}`, () => {
  test.each(ROWS.filter(({ needsAllProcessors }) => !needsAllProcessors))(
    '$id $fault: $caller; $database',
    { timeout: TIME_LIMIT_MS },
    async (row) => {
      const options = { code, postgres: inject('postgres'), runs: RUNS, seed: SEED }
      const { broken } = await runRow(row, { ...options, subject: 'cockroach-lambda' })
      expect(broken).toEqual([])
    },
  )
})
