/** Runs on each deployment: the files of `migrations/` that this database has not seen, in the order of their names. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { transaction, withDatabase } from 'cockroach-lambda'

const FOLDER = join(import.meta.dirname, 'migrations')

/** No advisory lock, which CockroachDB does not have: of two that run at once, the second fails at the primary key, and nothing of it stays. */
async function apply(name) {
  const text = await readFile(join(FOLDER, name), 'utf8')
  return transaction(async (client) => {
    const { rowCount } = await client.query('select 1 from migration where name = $1', [name])
    if (rowCount === 1) return []
    await client.query('insert into migration (name) values ($1)', [name])
    await client.query(text)
    return [name]
  })
}

export const handler = withDatabase(async (_event, _context, db) => {
  await db.query('create table if not exists migration (name text primary key, at timestamptz not null default now())')
  const applied = []
  for (const name of (await readdir(FOLDER)).sort()) applied.push(...(await apply(name)))
  return { applied }
})
