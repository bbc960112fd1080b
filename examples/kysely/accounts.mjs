/** Accounts, with Kysely. */
import { getPool } from 'cockroach-lambda'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { retrying } from './retry.mjs'

// pg gives an INT8 as text, since a number of JavaScript cannot hold it.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt)

let opened
/** Made on first use, and anew after `end()`. */
function db() {
  opened ??= new Kysely({ dialect: new PostgresDialect({ pool: async () => getPool() }) })
  return opened
}

const credit = (trx, id, amount) =>
  trx
    .updateTable('account')
    .set((account) => ({ balance: account('balance', '+', amount) }))
    .where('id', '=', id)
    .execute()

export async function open(id, balance) {
  await db().insertInto('account').values({ id, balance }).execute()
}

export function list() {
  return db().selectFrom('account').select(['id', 'balance']).orderBy('id').execute()
}

/** Fails as a whole where `from` has too little. */
export function transfer(from, to, amount) {
  return retrying(() =>
    db()
      .transaction()
      .execute(async (trx) => {
        await credit(trx, to, amount)
        await credit(trx, from, -amount)
      }),
  )
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return retrying(() =>
    db()
      .transaction()
      .execute(async (trx) => {
        const locked = trx.selectFrom('account').select('balance').where('id', '=', id).forUpdate()
        const { balance } = await locked.executeTakeFirstOrThrow()
        await trx
          .updateTable('account')
          .set({ balance: balance + amount })
          .where('id', '=', id)
          .execute()
      }),
  )
}

/** Ends the pool as well. */
export async function end() {
  await opened?.destroy()
  opened = undefined
}
