/** The functions of `examples/`, on the built layer and with the packed package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { exampleManifest, exampleNames, writeExample } from '../../cdk/example-folder.ts'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { endSessions, sessionCount } from '../support/sessions.ts'
import { FORMS, OrmStage, payloadOf } from './support/function.ts'

const repository: { readonly devDependencies: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
)
const NAMES = await exampleNames()
/** Statements and transactions that run side by side. */
const PARALLEL = 50
const CONTENDERS = 30
/** An integer that no number of JavaScript holds. */
const LARGE = '9007199254740993'

let stage: OrmStage

beforeAll(async () => {
  stage = await OrmStage.open()
})
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
})

/** By the database's owner, in the function's database. */
async function execute(text: string): Promise<readonly Record<string, unknown>[]> {
  const { postgres, database } = stage.product.cloud
  return postgres.query(text, [], database)
}

async function abortedTransactions(): Promise<number> {
  const [row] = await execute(
    'select xact_rollback::int as count from pg_stat_database where datname = current_database()',
  )
  return Number(row?.count)
}

const balances = async (environment: ExecutionEnvironment) =>
  ((await payloadOf(environment, { command: 'list' })) as { id: string; balance: string }[]).map(
    ({ id, balance }) => `${id}: ${balance}`,
  )

describe.each(NAMES)('%s', (name) => {
  let folder: string

  beforeAll(async () => {
    folder = join(stage.scratch.path, name)
    await writeExample(name, folder)
  })

  describe.each(FORMS)('with the %s', (form) => {
    let code: string
    let environment: ExecutionEnvironment

    beforeAll(async () => {
      await execute('drop table if exists account, migration')
      code = await stage.codeFor(form, folder)
      const migration = await stage.start(form, code, { handler: 'migrate.handler' })
      expect(await payloadOf(migration)).toEqual({ applied: ['0001-account.sql'] })
      expect(await payloadOf(migration)).toEqual({ applied: [] })
      await migration.shutdown()
      environment = await stage.start(form, code, { runner: { freezeBetween: true } })
    })
    afterAll(async () => {
      await environment?.shutdown()
    })
    beforeEach(async () => {
      await execute('truncate account')
    })

    test('an INT8 is written and read exactly', async () => {
      await payloadOf(environment, { command: 'open', id: LARGE, balance: LARGE })
      expect(await balances(environment)).toEqual([`${LARGE}: ${LARGE}`])
    })

    test('a transaction moves an amount, and one that breaks a CHECK leaves nothing', async () => {
      await payloadOf(environment, { command: 'open', id: 1, balance: 5 })
      await payloadOf(environment, { command: 'open', id: 2, balance: 0 })
      const result = await environment.invoke({ command: 'transfer', from: 1, to: 2, amount: 10 })
      expect(result).toMatchObject({ ok: false })
      expect(await balances(environment)).toEqual(['1: 5', '2: 0'])
      await payloadOf(environment, { command: 'transfer', from: 1, to: 2, amount: 3 })
      expect(await balances(environment)).toEqual(['1: 2', '2: 3'])
    })

    test(`${PARALLEL} writes and ${CONTENDERS} transactions side by side on one connection`, async () => {
      const ids = Array.from({ length: PARALLEL }, (_, index) => index + 1)
      await payloadOf(
        environment,
        ids.map((id) => ({ command: 'open', id, balance: 0 })),
      )
      expect(await balances(environment)).toEqual(ids.map((id) => `${id}: 0`))
      await payloadOf(environment, Array(CONTENDERS).fill({ command: 'add', id: 1, amount: 1 }))
      expect((await balances(environment))[0]).toBe(`1: ${CONTENDERS}`)
      expect(await sessionCount(stage.product)).toBe(1)
    })

    test('transactions on four connections that the server aborts with 40001 are repeated', async () => {
      const crowd = await stage.start(form, code, {
        environment: { COCKROACH_MAX_CONNECTIONS: '4', PGOPTIONS: '-c default_transaction_isolation=serializable' },
      })
      await payloadOf(crowd, { command: 'open', id: 1, balance: 0 })
      const before = await abortedTransactions()
      await payloadOf(crowd, Array(CONTENDERS).fill({ command: 'add', id: 1, amount: 1 }))
      expect(await balances(crowd)).toEqual([`1: ${CONTENDERS}`])
      await crowd.shutdown()
      // The server counts what a session did when that has ended.
      await expect.poll(abortedTransactions).toBeGreaterThan(before)
    })

    test('a session that the server ended during a freeze is replaced', async () => {
      await payloadOf(environment, { command: 'open', id: 1, balance: 0 })
      await endSessions(stage.product)
      await expect.poll(() => sessionCount(stage.product)).toBe(0)
      await payloadOf(environment, { command: 'add', id: 1, amount: 1 })
      expect(await balances(environment)).toEqual(['1: 1'])
    })

    test('what was ended is opened again', async () => {
      await payloadOf(environment, { command: 'open', id: 1, balance: 0 })
      await payloadOf(environment, { command: 'end' })
      await expect.poll(() => sessionCount(stage.product)).toBe(0)
      await payloadOf(environment, { command: 'add', id: 1, amount: 1 })
      expect(await balances(environment)).toEqual(['1: 1'])
    })
  })
})

test.each(NAMES)('%s names the versions that are tested', async (name) => {
  const { dependencies, devDependencies = {} } = await exampleManifest(name)
  const named = { ...dependencies, ...devDependencies }
  const tested = Object.keys(named).map((dependency) => [dependency, repository.devDependencies[dependency]])
  expect(named).toEqual(Object.fromEntries(tested))
})
