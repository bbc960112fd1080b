/** The built layer beside the function's own copy of pg: there is one pg in the function. */
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { copyPackages } from '../../cdk/package-closure.ts'
import { Scratch, startFunction } from '../support/lambda.ts'
import { openProduct, type Product } from '../support/product.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')

/** `pg` stands for the function's own copy; every use of one is looked at. */
const USES = `
pg.types.setTypeParser(20, BigInt)
let patchedCalls = 0
const { query } = pg.Client.prototype
pg.Client.prototype.query = function (...passed) {
  patchedCalls += 1
  return Reflect.apply(query, this, passed)
}
export const handler = withDatabase(async (_event, _context, db) => {
  const { rows } = await db.query('select 7::int8 as n')
  const error = await db.query('select 1/0').catch((error) => error)
  await using client = await db.getClient()
  return {
    instances: [db.getPool() instanceof pg.Pool, client instanceof pg.Client, error instanceof pg.DatabaseError],
    parsed: typeof rows[0].n,
    patchedCalls: patchedCalls > 1,
    names: [db.getPool().constructor.name, client.constructor.name, ConnectionError.name],
  }
}, options)
`

const IMPORTS = "import { ConnectionError, withDatabase } from 'cockroach-lambda'\n"
const NAMES = ['DatabasePool', 'DatabaseClient', 'ConnectionError']
const ONE_PG = { instances: [true, true, true], parsed: 'bigint', patchedCalls: true, names: NAMES }

let product: Product
let scratch: Scratch

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

async function invoke(code: string, handler = 'index.handler', environment: Record<string, string> = {}) {
  const { secretId, secretsManager } = product
  const started = await startFunction(
    handler,
    { code, layers: [LAYER], environment: { COCKROACH_SECRET_ID: secretId, ...environment } },
    {
      execArgv: [`--import=${LOOPBACK_NAMES}`],
      environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
    },
  )
  return started.invoke({})
}

/** A function's folder with a copy of pg under the name `pg`, and its dependencies. */
async function folderWith(name: string, packageName: string, below = ''): Promise<string> {
  const folder = join(scratch.path, name)
  const code = join(folder, below)
  await mkdir(code, { recursive: true })
  await copyPackages([packageName], REPOSITORY, code)
  if (packageName !== 'pg') {
    await cp(join(code, 'node_modules', packageName), join(code, 'node_modules/pg'), { recursive: true })
  }
  await writeFile(join(code, 'index.mjs'), `${IMPORTS}import pg from 'pg'\nconst options = undefined\n${USES}`)
  return folder
}

describe('the pool on the layer is one of', () => {
  test.each([
    ['the newest supported version', 'pg'],
    ['the oldest supported version', 'pg-oldest'],
  ])('the function’s own pg: %s', async (name, packageName) => {
    const result = await invoke(await folderWith(name, packageName))
    expect(result, JSON.stringify(result)).toMatchObject({ ok: true, payload: ONE_PG })
  })

  test('a pg that lies beside a handler in a folder of its own', async () => {
    const result = await invoke(await folderWith('below', 'pg', 'functions/one'), 'functions/one/index.handler')
    expect(result, JSON.stringify(result)).toMatchObject({ ok: true, payload: ONE_PG })
  })

  test.each([
    ['in one file', 'node_modules/pg.js'],
    ['in a folder beside the handler', 'pg/index.js'],
  ])('a pg that was bundled %s', async (name, file) => {
    const code = await scratch.folder(name, {
      'index.mjs': `${IMPORTS}import { createRequire } from 'node:module'
const pg = createRequire(import.meta.url)('./${file}')
const options = undefined
${USES}`,
      'pg/package.json': '{ "name": "pg" }',
    })
    await build({
      stdin: { contents: "module.exports = require('pg')", resolveDir: REPOSITORY, loader: 'js' },
      outfile: join(code, file),
      ...{ bundle: true, platform: 'node', format: 'cjs', external: ['pg-native'], logLevel: 'error' },
    })
    expect(await invoke(code)).toMatchObject({ ok: true, payload: ONE_PG })
  })

  test.each([
    ['default import', "import pg from 'pg'\nconst options = { pg }\n"],
    ['namespace', "import * as pg from 'pg'\nconst options = { pg }\n"],
  ])('a pg that a bundler has put into the function, handed over as %s', async (name, imports) => {
    const code = join(scratch.path, name)
    await build({
      stdin: { contents: `${IMPORTS}${imports}${USES}`, resolveDir: REPOSITORY, loader: 'js' },
      outfile: join(code, 'index.mjs'),
      ...{ bundle: true, platform: 'node', format: 'esm', external: ['cockroach-lambda', 'pg-native'] },
      ...{ minify: true, tsconfigRaw: {} },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    })
    expect(await invoke(code)).toMatchObject({ ok: true, payload: ONE_PG })
  })

  // Lambda's NODE_PATH has the function's folder, where such a file would be found too.
  test.each([
    ['where the function has none', {}],
    ['beside a module of the function’s that is called pg.js', { 'pg.js': 'throw new Error("not asked for")' }],
    ['beside a folder of the function’s that is called pg', { 'pg/index.js': 'throw new Error("not asked for")' }],
    ['beside an empty folder for pg', { 'node_modules/pg/README.md': '', 'pg.js': 'throw new Error("not asked for")' }],
    [
      'beside a package of the function’s in a folder that is called pg',
      { 'pg/package.json': '{ "name": "our-pg" }', 'pg/index.js': 'throw new Error("not asked for")' },
    ],
  ])('the layer’s pg %s', async (name, files) => {
    const code = await scratch.folder(name, {
      'index.mjs': `${IMPORTS}
export const handler = withDatabase(async (_event, _context, db) => ({ pool: db.getPool().constructor.name, ...(await db.query('select 1 as one')).rows[0] }))`,
    })
    for (const [path, text] of Object.entries(files)) {
      await mkdir(join(code, dirname(path)), { recursive: true })
      await writeFile(join(code, path), text)
    }
    expect(await invoke(code)).toMatchObject({ ok: true, payload: { pool: 'DatabasePool', one: 1 } })
  })
})

describe('a pg that cannot be used is ERR_CONFIG', () => {
  const HANDLER = `import { withDatabase } from 'cockroach-lambda'
export const handler = withDatabase(async (_event, _context, db) => {
  const error = await db.query('select 1').catch((error) => error)
  return { code: error.code, message: error.message, hint: error.hint, health: (await db.healthCheck()).error?.code }
})`

  test.each([
    [
      'one that lacks what is used',
      'exports.Client = class {}; exports.Pool = class {}',
      /8\.1\.0.*lacks Client\.connect\(\)/,
    ],
    ['one that cannot be loaded', 'throw new Error("broken")', /could not be loaded/],
  ])('%s', async (name, index, message) => {
    const code = await scratch.folder(name, { 'index.mjs': HANDLER })
    await mkdir(join(code, 'node_modules/pg'), { recursive: true })
    await writeFile(join(code, 'node_modules/pg/index.js'), index)
    await writeFile(join(code, 'node_modules/pg/package.json'), '{ "name": "pg", "version": "8.1.0" }')
    expect(await invoke(code)).toMatchObject({
      ok: true,
      payload: {
        code: 'ERR_CONFIG',
        message: expect.stringMatching(message),
        hint: 'Install pg 8.11 and later 8.x for the function.',
        health: 'ERR_CONFIG',
      },
    })
  })
})
