/** Accounts, with Prisma and its adapter for pg; the client is made by `prisma generate`. */
import { PrismaPg } from '@prisma/adapter-pg'
import { close, getPool } from 'cockroach-lambda'
import { PrismaClient } from './generated/client.ts'
import { retrying } from './retry.mjs'

let opened
/** Made on first use, and anew after `end()`. */
function db() {
  opened ??= new PrismaClient({ adapter: new PrismaPg(getPool()) })
  return opened
}

/** Prisma's own limits are 2 s of waiting and 5 s of work: too short where transactions wait for one connection. */
const LIMITS = { maxWait: 20_000, timeout: 20_000 }

export async function open(id, balance) {
  await db().account.create({ data: { id, balance } })
}

export function list() {
  return db().account.findMany({ orderBy: { id: 'asc' } })
}

/** Fails as a whole where `from` has too little. */
export function transfer(from, to, amount) {
  return retrying(() =>
    db().$transaction(async (tx) => {
      await tx.account.update({ where: { id: to }, data: { balance: { increment: amount } } })
      await tx.account.update({ where: { id: from }, data: { balance: { decrement: amount } } })
    }, LIMITS),
  )
}

/** Reads, computes and writes under a lock. */
export function add(id, amount) {
  return retrying(() =>
    db().$transaction(async (tx) => {
      const [{ balance }] = await tx.$queryRaw`select balance from account where id = ${id} for update`
      await tx.account.update({ where: { id }, data: { balance: balance + amount } })
    }, LIMITS),
  )
}

/** Prisma leaves a pool that it was given open. */
export async function end() {
  await opened?.$disconnect()
  opened = undefined
  await close()
}
