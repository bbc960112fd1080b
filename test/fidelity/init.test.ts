/** What waits in init, and what SnapStart keeps of it, under AWS's own runtime interface client. */
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { READY_ROWS } from '../faults/rows/ready.ts'
import { SNAPSHOT_ROWS } from '../faults/rows/snapshot.ts'
import { runRow } from '../faults/run-row.ts'
import { bundleSubjects, type SubjectCode } from '../faults/subject-code.ts'
import { NODE_BINARIES, runtimeInterfaceClient } from './support/sample-functions.ts'

/** As an ES module, and as CommonJS. */
const RUNS = 2
const RUNTIMES: readonly LambdaRuntime[] = ['nodejs24.x', 'nodejs22.x']
const SEED = Date.now() % 2 ** 31

let code: SubjectCode

beforeAll(async () => {
  code = await bundleSubjects()
})

afterAll(async () => {
  await code?.[Symbol.asyncDispose]()
})

describe.each(RUNTIMES)(`%s, seed ${SEED}`, (runtime) => {
  test.each([...READY_ROWS, ...SNAPSHOT_ROWS])('$id $fault: $caller; $database', async (row) => {
    const { broken } = await runRow(row, {
      ...{ code, subject: 'cockroach-lambda', postgres: inject('postgres'), runs: RUNS, seed: SEED },
      launch: { runtime, bootstrap: runtimeInterfaceClient(), nodeBinary: NODE_BINARIES[runtime] },
    })
    expect(broken).toEqual([])
  })
})
