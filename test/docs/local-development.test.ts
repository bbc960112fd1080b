/** Every snippet of docs/local-development.md is run, or its types are checked. */
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { USAGE } from '../../local/command-line.ts'
import { checkFunctionFolder } from '../../local/own-function/function-folder.ts'
import { unprivilegedUser } from '../../local/postgres/binaries.ts'
import { PostgresServer } from '../../local/postgres/server.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { codeIn, readPage, tableOf } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/local-development.md')
const SETUP_TIMEOUT_MS = 120_000
const LOCAL_SERVER = 'postgres:local@localhost:5432/postgres'

/** What each block has in it, in the order of the page. */
const BLOCKS = {
  function: 'npm start -- --function',
  bundle: 'npx esbuild',
  install: 'npm install',
  typeScript: 'interface Event',
  tsconfig: '"paths"',
  variables: 'DATABASE_URL=postgresql',
  handler: 'export async function petAge',
  program: 'await close()',
  runProgram: 'node --env-file=.env run.mjs',
  unitTest: "from 'node:test'",
  runUnitTest: 'node --env-file=.env --test',
  docker: 'docker run',
  sharedNetwork: 'network_mode: service:db',
  openssl: 'openssl req',
  tls: 'ssl=on',
} as const

function block(name: keyof typeof BLOCKS): string {
  return PAGE.snippets[Object.keys(BLOCKS).indexOf(name)]?.text ?? ''
}

test('the page has these blocks, and no other', () => {
  const words = Object.values(BLOCKS)
  expect(PAGE.snippets).toHaveLength(words.length)
  for (const [index, { text }] of PAGE.snippets.entries()) expect(text).toContain(words[index])
})

let folder: string
let database: TestDatabase

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-local-'))
  // PostgreSQL's unprivileged user reads a certificate here.
  chmodSync(folder, 0o755)
  installPackedPackage(folder)
  database = await createTestDatabase()
  await database.postgres.query(
    "create table pet (name text, age int); insert into pet values ('Rex', 3); grant all on pet to public",
    [],
    database.database,
  )
}, SETUP_TIMEOUT_MS)
afterAll(async () => {
  await database?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** A line of a shell, run in the folder; `npx` and `node` are the project's. */
async function shell(line: string): Promise<string> {
  const PATH = `${join(REPOSITORY, 'node_modules/.bin')}:${process.env.PATH}`
  const env = { PATH, HOME: folder, TMPDIR: tmpdir() }
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], { cwd: folder, env, timeout: 60_000 })
  return stdout
}

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

/** The page's connection string, with the test's user, server and database. */
function here(text: string): string {
  const { user, password, port, database: name } = database
  return text.replace(LOCAL_SERVER, `${user}:${encodeURIComponent(password)}@localhost:${port}/${name}`)
}

describe('the function', () => {
  beforeAll(() => {
    expect(block('variables')).toContain(LOCAL_SERVER)
    write({ '.env': here(block('variables')), 'index.mjs': block('handler') })
  })

  test('runs without the layer', async () => {
    write({ 'run.mjs': block('program') })
    expect(await shell(block('runProgram'))).toBe('{ age: 3 }\n')
  })

  test('passes its unit tests, without a context', async () => {
    write({ 'index.test.mjs': block('unitTest') })
    expect(await shell(`${block('runUnitTest').trim()} --test-reporter=tap`)).toMatch(
      /^# tests 2\n(?:# .*\n)*# pass 2\n/m,
    )
  })
})

describe('TypeScript', () => {
  const TSC = 'tsc --noEmit --pretty false'

  beforeAll(() => write({ 'index.ts': block('typeScript') }))

  test('finds the types of the package that is installed', { timeout: SETUP_TIMEOUT_MS }, async () => {
    expect(await shell(`${TSC} --strict --module nodenext --target es2024 index.ts`)).toBe('')
  })

  test('finds the types in the clone, as tsconfig.json names them', { timeout: SETUP_TIMEOUT_MS }, async () => {
    const clone = mkdtempSync(join(tmpdir(), 'cockroach-lambda-types-'))
    onTestFinished(() => rmSync(clone, { recursive: true }))
    const tsconfig = block('tsconfig').replace('../cockroach-lambda/', `${REPOSITORY}/`)
    expect(tsconfig).toContain(REPOSITORY)
    writeFileSync(join(clone, 'tsconfig.json'), tsconfig)
    writeFileSync(join(clone, 'index.ts'), block('typeScript'))
    expect(await shell(`${TSC} --project ${clone}`)).toBe('')
    writeFileSync(join(clone, 'index.ts'), block('typeScript').replace('db.query<', 'db.qeury<'))
    await expect(shell(`${TSC} --project ${clone}`)).rejects.toMatchObject({ stdout: expect.stringContaining('qeury') })
  })

  test('is bundled by the line that an error of npm start names, and leaves the library to the layer', async () => {
    const [line = '', start] = block('bundle').trim().split('\n')
    expect(start).toMatch(/^npm start .* --function dist$/)
    const empty = mkdtempSync(join(tmpdir(), 'cockroach-lambda-bundle-'))
    onTestFinished(() => rmSync(empty, { recursive: true }))
    writeFileSync(join(empty, 'index.ts'), '')
    const error: unknown = await checkFunctionFolder(empty, 'index.handler').catch((reason: unknown) => reason)
    expect(String(error).replaceAll(`${empty}/`, '')).toContain(line)

    await shell(line)
    const bundle = readFileSync(join(folder, 'dist/index.mjs'), 'utf8')
    expect(bundle).toContain('from "cockroach-lambda"')
    expect(bundle.length).toBeLessThan(1_000)
  })
})

/** Queries with a connection string, in a process in which the name `db` resolves to loopback; prints what TLS says. */
async function queryFrom(databaseUrl: string): Promise<string> {
  write({
    'names.mjs': `import { resolveToLoopback } from ${JSON.stringify(join(REPOSITORY, 'local/loopback/names.ts'))}
      resolveToLoopback(['db'])`,
    'query.mjs': `import { close, query } from 'cockroach-lambda'
      const sql = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'
      console.log(await query(sql).then(({ rows }) => rows[0].ssl, ({ code, message }) => code + ': ' + message))
      await close()`,
    'query.env': `DATABASE_URL=${databaseUrl}\n`,
  })
  return (await shell('node --import ./names.mjs --env-file=query.env query.mjs')).trim()
}

/** The connection string of a compose file. */
function databaseUrlOf(compose: string): string {
  return /^ *DATABASE_URL: (\S+)$/m.exec(compose)?.[1] ?? ''
}

describe('a database in a container', () => {
  test('is reached without TLS in one network', async () => {
    const url = databaseUrlOf(block('sharedNetwork'))
    expect(url).toContain(LOCAL_SERVER)
    expect(await queryFrom(here(url))).toBe('false')
  })

  test('is refused without TLS under another name', async () => {
    const [message = ''] = PAGE.text.match(/sslmode=disable would [^`]*/) ?? []
    const url = here(databaseUrlOf(block('sharedNetwork'))).replace('@localhost', '@db')
    expect(await queryFrom(url)).toBe(`ERR_TLS: ${message}`)
  })

  test('is reached with TLS, with the certificate that openssl makes', async () => {
    await shell(block('openssl'))
    const key = join(folder, 'server.key')
    // The first half of the command, whose user is the one that PostgreSQL has here.
    expect(block('tls')).toContain('install -o postgres -m 600 /certs/server.key /tmp/server.key')
    copyFileSync(join(folder, 'certs/server.key'), key)
    chmodSync(key, 0o600)
    const { uid, gid } = await unprivilegedUser()
    if (uid !== undefined) chownSync(key, uid, gid)
    const settings = [...block('tls').matchAll(/-c (\w+)=([^\s"]+)/g)].map(([, name = '', value = '']) => [
      name,
      value.replace('/certs/', `${folder}/certs/`).replace('/tmp/server.key', key),
    ])
    expect(settings).toHaveLength(3)
    await using server = await PostgresServer.start({ settings: Object.fromEntries(settings) })
    const url = databaseUrlOf(block('tls'))
    const { password } = server.superuserConfig()
    const own = url.replace(':local@db:5432', `:${password}@db:${server.port}`).replace('/certs/', `${folder}/certs/`)
    expect(await queryFrom(own)).toBe('true')
    expect(await queryFrom(own.replace('@db:', '@localhost:'))).toMatch(/^ERR_TLS: /)
  })
})

describe('the options of npm start', () => {
  test('are those of its usage', () => {
    const named = tableOf(PAGE, 'On the layer').map(([cell]) => codeIn(cell)[0])
    const used = [...USAGE.matchAll(/^ {2}(--\w+(?: [A-Z]+)?)/gm)].map(([, option]) => option)
    expect(named.toSorted()).toEqual(used.toSorted())
  })

  test('are in the commands of the page', () => {
    expect(block('function')).toBe('npm start -- --function ../my-function\n')
  })
})

test('a published port is that of the connection string', () => {
  expect(block('docker')).toContain('--publish 127.0.0.1:5432:5432 --env POSTGRES_PASSWORD=local postgres:')
  expect(PAGE.text).toContain('`DATABASE_URL=postgresql://root@localhost:26257/defaultdb?sslmode=disable`')
})

test('what is installed is what npm pack makes', () => {
  const { name, version }: { readonly name: string; readonly version: string } = JSON.parse(
    readFileSync(join(REPOSITORY, 'package.json'), 'utf8'),
  )
  expect(block('install')).toBe(`npm install --save-dev ../cockroach-lambda/${name}-${version}.tgz pg\n`)
})
