/** Accounts, with MikroORM. */
import { defineEntity, LockMode, MikroORM, p } from '@mikro-orm/postgresql'
import { getPool } from 'cockroach-lambda'
import { PostgresDialect } from 'kysely'
import { retrying } from './retry.mjs'

const Account = defineEntity({
  name: 'Account',
  tableName: 'account',
  properties: { id: p.bigint('bigint').primary(), balance: p.bigint('bigint') },
})

let opened
/** Made on first use, and anew after `end()`. The secret names the database: MikroORM must not look for `dbName`, nor create it. */
function db() {
  const driverOptions = new PostgresDialect({ pool: async () => getPool() })
  opened ??= new MikroORM({ entities: [Account], dbName: 'named-by-the-secret', ensureDatabase: false, driverOptions })
  return opened
}

/** A unit of work of its own, as MikroORM asks for each request. */
const newEntityManager = () => db().em.fork()

export async function open(id, balance) {
  await newEntityManager().insert(Account, { id, balance })
}

export function list() {
  return newEntityManager().findAll(Account, { orderBy: { id: 'asc' } })
}

/** Fails as a whole where `from` has too little. */
export function transfer(from, to, amount) {
  return retrying(() =>
    newEntityManager().transactional(async (em) => {
      for (const [id, change] of [
        [to, amount],
        [from, -amount],
      ]) {
        const account = await em.findOneOrFail(Account, id)
        account.balance += change
        await em.flush()
      }
    }),
  )
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return retrying(() =>
    newEntityManager().transactional(async (em) => {
      const account = await em.findOneOrFail(Account, id, { lockMode: LockMode.PESSIMISTIC_WRITE })
      account.balance += amount
    }),
  )
}

/** Ends the pool as well. */
export async function end() {
  await opened?.close()
  opened = undefined
}
