/** Accounts, in plain SQL. */
import { close, query, transaction } from 'cockroach-lambda'
import pg from 'pg'

// pg gives an INT8 as text, since a number of JavaScript cannot hold it.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt)

const ADD = 'update account set balance = balance + $2 where id = $1'

export async function open(id, balance) {
  await query('insert into account (id, balance) values ($1, $2)', [id, balance])
}

export async function list() {
  return (await query('select id, balance from account order by id')).rows
}

/** Fails as a whole where `from` has too little. Repeated on SQLSTATE 40001, as `transaction()` does. */
export function transfer(from, to, amount) {
  return transaction(async (client) => {
    await client.query(ADD, [to, amount])
    await client.query(ADD, [from, -amount])
  })
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return transaction(
    async (client) => {
      const { rows } = await client.query('select balance from account where id = $1 for update', [id])
      await client.query('update account set balance = $2 where id = $1', [id, rows[0].balance + amount])
    },
    { maxAttempts: 30 },
  )
}

export const end = close
