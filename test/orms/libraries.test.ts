/** What stands over pg and is no example: one function of each library, on the built layer and with the packed package. */
import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyPackages } from '../../cdk/package-closure.ts'
import { createCertificateAuthority } from '../../local/certificates.ts'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { FORMS, OrmStage, payloadOf } from './support/function.ts'
import { ROWS } from './support/rows.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const FIXTURES = join(REPOSITORY, 'test/fixtures/orms')
const LIBRARIES = ROWS.filter(({ fixture }) => fixture !== undefined)

let stage: OrmStage
let folder: string
let wrongRoot: string

beforeAll(async () => {
  stage = await OrmStage.open()
  folder = join(stage.scratch.path, 'libraries')
  await mkdir(folder)
  for (const name of await readdir(FIXTURES)) await copyFile(join(FIXTURES, name), join(folder, name))
  const packages = LIBRARIES.flatMap(({ packages: names }) => names)
  await copyPackages([...new Set(['pg', ...packages])], REPOSITORY, folder)
  wrongRoot = join(stage.scratch.path, 'wrong-root.crt')
  await writeFile(wrongRoot, (await createCertificateAuthority('Another Root CA')).certificate)
})
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
})

describe.each(FORMS)('with the %s', (form) => {
  let environment: ExecutionEnvironment

  beforeAll(async () => {
    const { postgres, database } = stage.product.cloud
    await postgres.query(
      `drop schema if exists graphile_worker, pgboss cascade;
      drop table if exists sequelize_items, slonik_item, drizzle_item, migrated, pgmigrations;
      create extension if not exists pgcrypto`,
      [],
      database,
    )
    await postgres.query(`grant create on database "${database}" to public`, [], database)
    environment = await stage.start(form, await stage.codeFor(form, folder))
  })
  afterAll(async () => {
    await environment?.shutdown()
  })

  test.each(LIBRARIES)('$fixture does its work', async ({ fixture }) => {
    expect(await payloadOf(environment, { library: fixture })).toEqual([1, 2, 3, 4, 5])
  })

  test.each(LIBRARIES.filter(({ connectsItself }) => connectsItself))(
    '$fixture refuses a server with another root',
    async ({ fixture }) => {
      const result = await environment.invoke({ library: fixture, rootCertificate: wrongRoot })
      expect(result.ok).toBe(false)
      expect(JSON.stringify(result)).toMatch(/certificate/i)
    },
  )
})
