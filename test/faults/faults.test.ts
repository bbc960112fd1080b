/** Every fault, three times, against this package and two peers: our promises hold, and the suite is known to bite. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { promiseTable, withTable } from './promise-table.ts'
import { ROWS } from './rows.ts'
import { runRow } from './run-row.ts'
import { bundleSubjects, type SubjectCode, type SubjectName } from './subject-code.ts'

const RUNS = 3
const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 31)
const PEERS: readonly SubjectName[] = ['pg.Pool', 'serverless-postgres']
const TIME_LIMIT_MS = 180_000

let code: SubjectCode
const bitten = new Set<string>()

beforeAll(async () => {
  code = await bundleSubjects()
})

afterAll(async () => {
  await code?.[Symbol.asyncDispose]()
})

const play = (subject: SubjectName, runs: number) => (row: (typeof ROWS)[number]) =>
  runRow(row, { subject, code, postgres: inject('postgres'), runs, seed: SEED })

test('docs/faults.md states these promises', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/faults.md'), 'utf8')
  expect(page).toBe(withTable(page, promiseTable(ROWS)))
})

describe(`seed ${SEED}`, () => {
  test.each(ROWS)('$id $fault: $caller; $database', { timeout: TIME_LIMIT_MS }, async (row) => {
    const { broken } = await play('cockroach-lambda', RUNS)(row)
    expect(broken).toEqual([])
  })

  test.each(ROWS.filter(({ hasPeers }) => hasPeers !== false))(
    '$id $fault, with the peers',
    { timeout: TIME_LIMIT_MS },
    async (row) => {
      for (const peer of PEERS) {
        const { broken } = await play(peer, 1)(row)
        if (broken.length > 0) bitten.add(row.id)
      }
    },
  )

  test('at least half of the rows break with a peer', () => {
    expect(bitten.size).toBeGreaterThanOrEqual(ROWS.length / 2)
  })
})
