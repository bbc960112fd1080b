/** Every fault but those of crowd.test.ts, once, against two peers: shows that the suite finds faults. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ROWS } from './rows.ts'
import { runRow } from './run-row.ts'
import { bundleSubjects, type SubjectCode, type SubjectName } from './subject-code.ts'

const SEED = Number(process.env.FAULTS_SEED ?? Date.now() % 2 ** 31)
const PEERS: readonly SubjectName[] = ['pg.Pool', 'serverless-postgres']
const TIME_LIMIT_MS = 180_000

let code: SubjectCode
const brokenByPeers = new Set<string>()

beforeAll(async () => {
  code = await bundleSubjects()
})

afterAll(async () => {
  await code?.[Symbol.asyncDispose]()
})

describe(`seed ${SEED}`, () => {
  test.each(ROWS.filter(({ hasPeers, needsAllProcessors }) => hasPeers !== false && !needsAllProcessors))(
    '$id $fault, with the peers',
    { timeout: TIME_LIMIT_MS },
    async (row) => {
      for (const peer of PEERS) {
        const options = { code, postgres: inject('postgres'), runs: 1, seed: SEED }
        const { broken } = await runRow(row, { ...options, subject: peer })
        if (broken.length > 0) brokenByPeers.add(row.id)
      }
    },
  )

  test('at least half of the rows break with a peer', () => {
    expect(brokenByPeers.size).toBeGreaterThanOrEqual(ROWS.length / 2)
  })
})
