/** `npm start -- --function`: a reader's function, called from a folder of the reader's. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import {
  expectNothingLeft,
  interrupt,
  npmStart,
  type Run,
  START_TIMEOUT_MS,
  temp,
  untilItSays,
} from '../support/npm-start.ts'

/** Uses a package of its own, logs, reads a table, and answers with what it was given. */
const HANDLER = `
  import { word } from 'a-package'
  import { ready, withDatabase } from 'cockroach-lambda'
  export const handler = withDatabase(async (event, context, db) => {
    console.log('asked for', event.name)
    const { rows } = await db.query('select age from pet where name = $1', [event.name])
    return { word, greeting: process.env.GREETING, node: process.versions.node.split('.')[0], rows }
  })
  await ready()`
const FILES = {
  'mine/index.mjs': HANDLER,
  'mine/node_modules/a-package/package.json': '{ "main": "index.cjs" }',
  'mine/node_modules/a-package/index.cjs': "exports.word = 'package'",
  'event.json': '{ "name": "Rex" }',
  'schema.sql': "create table pet (name text primary key, age int);\ninsert into pet values ('Rex', 3), ('Tom', 4);",
  variables: 'GREETING="good day"\n',
}
const MS = expect.any(Number)

/** Writes files, by path, into the folder that npm is called in. */
function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(temp, dirname(name)), { recursive: true })
    writeFileSync(join(temp, name), text)
  }
}

afterEach(async () => {
  for (const name of ['mine', 'event.json', 'schema.sql', 'variables'])
    rmSync(join(temp, name), { recursive: true, force: true })
  await expectNothingLeft()
})

function startMine(...options: readonly string[]): Run {
  return npmStart(['--function', 'mine', ...options], {}, { calledIn: temp })
}

async function postJson(url: string, body = ''): Promise<unknown> {
  return await (await fetch(url, { method: 'POST', body })).json()
}

test('npm start -- --function runs a function of the reader, serves, and reloads', {
  timeout: START_TIMEOUT_MS,
}, async () => {
  write(FILES)
  const files = ['--event', 'event.json', '--sql', 'schema.sql', '--env', 'variables']
  const run = startMine('--json', '--serve', '--node', '22', ...files)
  await untilItSays(run, ' psql ')
  const result = { word: 'package', greeting: 'good day', node: '22', rows: [{ age: 3 }] }
  const log = expect.stringMatching(/asked for Rex\n$/)
  expect(JSON.parse(run.stdout)).toEqual({
    ok: true,
    layer: { path: 'dist/layer.zip', bytes: MS, sha256: expect.any(String) },
    invocations: [
      { kind: 'cold', ok: true, ms: MS, logins: 1, log, result },
      { kind: 'warm', ok: true, ms: MS, logins: 0, log, result },
      { kind: 'thawed', ok: true, ms: MS, logins: 0, log, result },
    ],
  })

  const [invoke = '', freeze = '', reload = ''] = [...run.stderr.matchAll(/http:\/\/127\.0\.0\.1:\d+\/\w+/g)].map(
    ([url]) => url,
  )
  const tom = await postJson(invoke, '{ "name": "Tom" }')
  expect(tom).toMatchObject({
    kind: 'warm',
    log: expect.stringMatching(/asked for Tom\n$/),
    result: { rows: [{ age: 4 }] },
  })
  expect(await postJson(invoke, '{ name')).toEqual({ error: expect.stringMatching(/^the body is not JSON: /) })
  expect(await postJson(freeze)).toEqual({ frozen: true })
  expect(await postJson(invoke)).toMatchObject({ kind: 'thawed', result })

  write({ 'mine/index.mjs': HANDLER.replace('select age', 'select name, age') })
  expect(await postJson(invoke)).toMatchObject({ kind: 'warm', result })
  expect(await postJson(reload)).toEqual({ reloaded: true })
  const changed = { ...result, rows: [{ name: 'Rex', age: 3 }] }
  expect(await postJson(invoke)).toMatchObject({ kind: 'cold', logins: 1, result: changed })
  rmSync(join(temp, 'mine/index.mjs'))
  expect(await postJson(reload)).toEqual({ error: expect.stringContaining('mine has none of index.mjs') })
  expect(await postJson(invoke)).toMatchObject({ kind: 'warm', result: changed })

  const [, databaseUrl] = /^ {2}export DATABASE_URL='(.*)'$/m.exec(run.stderr) ?? []
  expect(databaseUrl).toMatch(/@localhost:.*\?sslmode=verify-full&sslrootcert=\//)
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  expect((await client.query('select count(*)::int from pet')).rows).toEqual([{ count: 2 }])
  await client.end()

  interrupt(run)
  expect(await run.ended, run.stderr).toBe(0)
})

test('npm start -- --function prints a report for people', { timeout: START_TIMEOUT_MS }, async () => {
  write({
    'mine/main.js': "exports.run = async ({ a }) => { console.log('hello'); return { a } }",
    'event.json': '{"a":1}',
  })
  const run = startMine('--handler', 'main.run', '--event', 'event.json')
  expect(await run.ended, run.stderr).toBe(0)
  const report = run.stdout
    .replace(/\d+\.\d │/g, 'MS │')
    .replace(/ +│/g, ' │')
    .replace(/│ +/g, '│ ')
    .replace(/[─┌┬┐├┼┤└┴┘]+\n/g, '')
  expect(report.split('\n').slice(3)).toEqual([
    ...['cold', 'warm', 'thawed'].flatMap((kind) => [`Logged, ${kind}`, expect.stringMatching(/^ {2}.*hello$/)]),
    ...['Answered, cold', '  {', '    "a": 1', '  }'],
    'Invocations of your function',
    '│ invocation │ result │ ms │ new connections │',
    ...['cold', 'warm', 'thawed'].map((kind) => `│ ${kind} │ ok │ MS │ 0 │`),
    'All well: your function answered cold, warm and thawed.',
    '',
  ])
})

test.each<[files: Readonly<Record<string, string>>, options: readonly string[], message: RegExp]>([
  [
    { 'mine/main.mjs': '' },
    [],
    /mine has none of .*; found main\.mjs: name one with --handler, .* --handler main\.handler$/,
  ],
  [{ 'mine/index.mjs': '' }, ['--event', 'none.json'], /^--event: \/.*none\.json cannot be read\n {2}because: ENOENT/],
  [
    { 'mine/index.mjs': '', 'event.json': '{a' },
    ['--event', 'event.json'],
    /^--event: .*event\.json is not JSON\n {2}because: /,
  ],
])('%j with %j is refused before anything is built', async (files, options, message) => {
  write(files)
  const run = startMine(...options)
  expect(await run.ended).toBe(1)
  const [, text = ''] = /^npm start failed: ([\s\S]*)\n$/.exec(run.stderr) ?? []
  expect(text).toMatch(message)
})
