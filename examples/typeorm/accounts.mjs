/** Accounts, with TypeORM. */
import { getPool } from 'cockroach-lambda'
import pg from 'pg'
import { DataSource, EntitySchema } from 'typeorm'
import { retrying } from './retry.mjs'

const int8 = { type: 'bigint', transformer: { from: BigInt, to: (value) => value } }

const Account = new EntitySchema({
  name: 'account',
  columns: { id: { ...int8, primary: true }, balance: int8 },
})

/** TypeORM makes its pool from what it takes for pg: a constructor that returns an object makes that object. */
const driver = {
  ...pg,
  Pool: function Pool() {
    return getPool()
  },
}

let opened
/** Made on first use, and anew after `end()` or an error. */
function db() {
  opened ??= new DataSource({ type: 'postgres', driver, entities: [Account] }).initialize().catch((error) => {
    opened = undefined
    throw error
  })
  return opened
}

export async function open(id, balance) {
  await (await db()).getRepository(Account).insert({ id, balance })
}

export async function list() {
  return (await db()).getRepository(Account).find({ order: { id: 'asc' } })
}

/** Fails as a whole where `from` has too little. */
export async function transfer(from, to, amount) {
  const source = await db()
  return retrying(() =>
    source.transaction(async (manager) => {
      await manager.increment(Account, { id: to }, 'balance', amount)
      await manager.decrement(Account, { id: from }, 'balance', amount)
    }),
  )
}

/** Reads, computes and writes under a lock. */
export async function add(id, amount) {
  const source = await db()
  return retrying(() =>
    source.transaction(async (manager) => {
      const account = await manager.findOneOrFail(Account, { where: { id }, lock: { mode: 'pessimistic_write' } })
      await manager.update(Account, { id }, { balance: account.balance + amount })
    }),
  )
}

/** Ends the pool as well. */
export async function end() {
  await (await opened)?.destroy()
  opened = undefined
}
