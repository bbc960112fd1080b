/** Our pool and a genuine `pg.Pool`, asked the same of the same server; each difference has its reason. */
import { randomUUID } from 'node:crypto'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DatabaseOptions } from '../../../../src/index.ts'
import { openProduct, type Product } from '../../../support/product.ts'
import type { Behaviour, Subject } from './behaviour.ts'
import { CLIENTS } from './clients.ts'
import { CONNECTIONS } from './connections.ts'
import { ENDINGS } from './endings.ts'
import { EVENTS } from './events.ts'
import { OPTIONS } from './options.ts'
import { STATEMENTS } from './statements.ts'

let product: Product
const opened: Pool[] = []

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.ending || pool.end()))
})

function kept(pool: Pool): Pool {
  opened.push(pool)
  return pool
}

async function endSession(pid: unknown): Promise<void> {
  await product.cloud.postgres.query('select pg_terminate_backend($1)', [pid])
}

/** Another one each time: ours does not send a refused one again. */
const wrongPassword = randomUUID

const genuine: Subject = {
  open: (options) => kept(new Pool({ ...product.cloud.clientConfig(), max: 1, ...options })),
  openRefused: () => genuine.open({ password: wrongPassword() }),
  endSession,
}

const ours: Subject = {
  open: (options: PoolConfig = {}) => kept(product.database({ max: 1, ...options } as DatabaseOptions).getPool()),
  openRefused: () => ours.open({ password: wrongPassword() }),
  endSession,
}

describe.each<[string, readonly Behaviour[]]>([
  ['connecting', CONNECTIONS],
  ['statements', STATEMENTS],
  ['a client', CLIENTS],
  ['events', EVENTS],
  ['options', OPTIONS],
  ['the end', ENDINGS],
])('%s:', (_name, behaviours) => {
  test.each(behaviours)('a pool $behaviour', async (row) => {
    expect(await row.observe(genuine), 'of the genuine pool').toEqual(row.genuine)
    const answer = await row.observe(ours)
    if (row.ours === undefined) {
      expect(answer, 'of ours, which is the same').toEqual(row.genuine)
      return
    }
    expect(answer, 'of ours, which differs').toEqual(row.ours.answer)
    expect(answer, 'is no difference').not.toEqual(row.genuine)
    expect(row.ours.reason).toMatch(/\w+ \w+/)
  })
})
