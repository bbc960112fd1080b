import { afterAll, beforeAll, expect, test } from 'vitest'
import { runSql } from '../../../local/own-function/source.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

/** As the option --sql does. */
async function run(sql: string): Promise<void> {
  await runSql(sql, { postgres: database.postgres, access: database })
}

test("several statements are run, and the tables are the function's user's", async () => {
  await run('create table pet (name text);\ncreate table toy (name text)')
  const sql = 'select tablename, tableowner from pg_tables where schemaname = $1 order by 1'
  expect(await database.postgres.query(sql, ['public'], database.database)).toEqual([
    { tablename: 'pet', tableowner: database.user },
    { tablename: 'toy', tableowner: database.user },
  ])
})

test.each([
  ['select 1;\nselec 2', '--sql: syntax error at or near "selec", line 2'],
  ['insert into nowhere values (1)', '--sql: relation "nowhere" does not exist, line 1'],
  ['create table twice (); create table twice ()', '--sql: relation "twice" already exists'],
])('%j is an error with its line, if the server names one', async (sql, message) => {
  await expect(run(sql)).rejects.toThrow(new Error(message))
})
