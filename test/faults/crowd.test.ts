/** The faults that need all processors, against this package: its promises hold. Runs when no other test does. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ROWS } from './rows.ts'
import { runRow } from './run-row.ts'
import { bundleSubjects, type SubjectCode } from './subject-code.ts'

const RUNS = 3
const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 31)
const TIME_LIMIT_MS = 300_000

let code: SubjectCode

beforeAll(async () => {
  code = await bundleSubjects()
})

afterAll(async () => {
  await code?.[Symbol.asyncDispose]()
})

describe(`seed ${SEED}`, () => {
  test.each(ROWS.filter(({ needsAllProcessors }) => needsAllProcessors))(
    '$id $fault: $caller; $database',
    { timeout: TIME_LIMIT_MS },
    async (row) => {
      const options = { code, postgres: inject('postgres'), runs: RUNS, seed: SEED }
      const { broken } = await runRow(row, { ...options, subject: 'cockroach-lambda' })
      expect(broken).toEqual([])
    },
  )
})
