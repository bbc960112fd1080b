/** Accounts, with Objection over Knex. */
import { close, getPool } from 'cockroach-lambda'
import knex from 'knex'
import { Model, raw } from 'objection'
import pg from 'pg'
import { retrying } from './retry.mjs'

// pg gives an INT8 as text, since a number of JavaScript cannot hold it.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt)

class Account extends Model {
  static tableName = 'account'
}

/** For one statement or one transaction: a pool that was ended is replaced, and `getPool()` returns the new one. */
const db = () => knex({ client: 'pg', connectionPool: getPool() })

const credit = (trx, id, amount) =>
  Account.query(trx)
    .findById(id)
    .patch({ balance: raw('balance + ?', [amount]) })

export async function open(id, balance) {
  await Account.query(db()).insert({ id, balance })
}

export function list() {
  return Account.query(db()).orderBy('id')
}

/** Fails as a whole where `from` has too little. */
export function transfer(from, to, amount) {
  return retrying(() =>
    db().transaction(async (trx) => {
      await credit(trx, to, amount)
      await credit(trx, from, -amount)
    }),
  )
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return retrying(() =>
    db().transaction(async (trx) => {
      const { balance } = await Account.query(trx).findById(id).forUpdate()
      await Account.query(trx)
        .findById(id)
        .patch({ balance: balance + amount })
    }),
  )
}

/** Knex leaves a pool that it was given open. */
export const end = close
