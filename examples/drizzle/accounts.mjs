/** Accounts, with Drizzle. */
import { close, getPool } from 'cockroach-lambda'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { retrying } from './retry.mjs'
import { account } from './schema.mjs'

/** For one statement or one transaction: a pool that was ended is replaced, and `getPool()` returns the new one. */
const db = () => drizzle({ client: getPool() })

const credit = (tx, id, amount) =>
  tx
    .update(account)
    .set({ balance: sql`${account.balance} + ${amount}` })
    .where(eq(account.id, id))

export async function open(id, balance) {
  await db().insert(account).values({ id, balance })
}

export function list() {
  return db().select().from(account).orderBy(account.id)
}

/** Fails as a whole where `from` has too little. */
export function transfer(from, to, amount) {
  return retrying(() =>
    db().transaction(async (tx) => {
      await credit(tx, to, amount)
      await credit(tx, from, -amount)
    }),
  )
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return retrying(() =>
    db().transaction(async (tx) => {
      const [{ balance }] = await tx.select().from(account).where(eq(account.id, id)).for('update')
      await tx
        .update(account)
        .set({ balance: balance + amount })
        .where(eq(account.id, id))
    }),
  )
}

export const end = close
