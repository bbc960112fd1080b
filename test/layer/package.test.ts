import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LoopbackHttpServer } from '../../local/loopback/http-server.ts'
import { nodePath } from '../../local/node-versions.ts'
import { typeScript5Folder } from '../support/type-script.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PACK_TIMEOUT_MS = 60_000
const TSC_TIMEOUT_MS = 120_000
const SYNTH_TIMEOUT_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-package-'))
const installed = join(folder, 'node_modules/cockroach-lambda')

/** Installs the packed package, and beside it what it and its users need, as links. */
beforeAll(() => {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const packed = execFileSync(npm, ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  }).trim()
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed), '--strip-components=1', '-C', installed])
  for (const name of ['pg', '@aws-sdk', '@types', 'aws-cdk-lib', 'constructs', 'hono', 'drizzle-orm']) {
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(folder, 'node_modules', name), 'junction')
  }
}, PACK_TIMEOUT_MS)
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

test('the package contains the files that it exports, and no sources', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  expect(files).toEqual(
    expect.arrayContaining([
      'LICENSE',
      'certs/root.crt',
      'dist/cdk/index.cjs',
      'dist/cdk/index.mjs',
      'dist/cli-invoke.cjs',
      'dist/cli-licenses.txt',
      'dist/cli.cjs',
      'dist/health-check/index.mjs',
      'dist/index.cjs',
      'dist/index.mjs',
      'dist/layer.zip',
      'dist/jwt.cjs',
      'dist/layer-source-maps/index.cjs.map',
      'dist/layer-source-maps/jwt.cjs.map',
      'dist/layer-source-maps/metrics.cjs.map',
      'dist/layer-source-maps/secrets-manager.cjs.map',
      'dist/layer/certs/root.crt',
      'dist/metrics.cjs',
      'dist/rotation/LICENSES',
      'dist/rotation/index.cjs',
      'dist/secrets-manager.cjs',
    ]),
  )
  expect(files.filter((name) => /(?<!\.d)\.ts$|^(?:src|test|local)/.test(name))).toEqual([])
})

test('the command runs where the package is installed', () => {
  const { status, stdout } = spawnSync(process.execPath, [join(installed, 'dist/cli.cjs'), 'doctor', '--json'], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  })
  expect({ status, ok: JSON.parse(stdout).ok }).toEqual({ status: 3, ok: false })
})

test('dist/ has the mode that the umask gives', () => {
  expect(statSync(join(REPOSITORY, 'dist')).mode & 0o777).toBe(0o777 & ~process.umask())
})

test('the package does not name the machine that built it', () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const telling = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, 'latin1').includes(REPOSITORY))
  expect(telling).toEqual([])
})

describe.each([
  ['22', nodePath(22)],
  ['24', process.execPath],
  ['26', nodePath(26)],
])('on Node %s', (_version, node) => {
  function run(code: string): unknown {
    const file = write('run.mjs', code)
    return JSON.parse(execFileSync(node, [file], { cwd: folder, encoding: 'utf8', env: {} }))
  }

  test('import and require share one instance', () => {
    const names = run(`import { createRequire } from 'node:module'
      import * as imported from 'cockroach-lambda'
      const required = createRequire(import.meta.url)('cockroach-lambda')
      console.log(JSON.stringify(Object.keys(imported).filter((name) => imported[name] === required[name])))`)
    expect(names).toEqual(
      expect.arrayContaining([
        'ConnectionError',
        'close',
        'connectionString',
        'createDatabase',
        'getClient',
        'getPool',
        'healthCheck',
        'query',
        'withDatabase',
      ]),
    )
  })

  test('loading it loads no pg, making a pool does', () => {
    const loaded = run(`import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      const isLoaded = () => Object.keys(require.cache).some((path) => /[\\\\/]pg[\\\\/]/.test(path))
      const { createDatabase } = require('cockroach-lambda')
      const before = isLoaded()
      createDatabase({ connectionString: 'postgresql://user@localhost/database' }).getPool()
      console.log(JSON.stringify([before, isLoaded()]))`)
    expect(loaded).toEqual([false, true])
  })

  test('the file of the AWS SDK is where index.cjs looks for it', () => {
    const names = run(`import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      const path = require.resolve('cockroach-lambda').replace('index.cjs', 'secrets-manager.cjs')
      console.log(JSON.stringify(Object.keys(require(path))))`)
    expect(names).toEqual(['getSecretValue'])
  })

  test(
    'the constructs find layer and function inside the package',
    () => {
      const assets = run(`import { App, Stack } from 'aws-cdk-lib'
      import { HealthCheckStack } from 'cockroach-lambda/cdk'
      const app = new App({ outdir: ${JSON.stringify(join(folder, 'cdk.out'))}, treeMetadata: false })
      new HealthCheckStack(app, 'Stack')
      const { files } = JSON.parse((await import('node:fs')).readFileSync(app.synth().getStackByName('Stack').templateFullPath.replace('template', 'assets'), 'utf8'))
      console.log(JSON.stringify(Object.values(files).map((file) => file.source.packaging).sort()))`)
      expect(assets).toEqual(['file', 'zip', 'zip'])
    },
    SYNTH_TIMEOUT_MS,
  )
})

describe('bundled into one file', () => {
  const banner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"
  const FORMATS = [
    ['a CommonJS module', 'bundled.cjs', { format: 'cjs' }],
    ['an ES module', 'bundled.mjs', { format: 'esm', banner: { js: banner } }],
  ] as const

  test.each(FORMATS)('%s loads, and registers for shutdown without a second file', async (_kind, name, options) => {
    const entry = `entry-of-${name}.mjs`
    write(entry, "import { getPool } from 'cockroach-lambda'\ngetPool()\nsetTimeout(() => {}, 60_000)")
    const outfile = join(folder, 'bundles', name)
    await build({ ...options, absWorkingDir: folder, entryPoints: [entry], bundle: true, platform: 'node', outfile })
    const registered = Promise.withResolvers<string | undefined>()
    const server = await LoopbackHttpServer.start((request, response) => {
      registered.resolve(request.url)
      response.writeHead(200, { 'Lambda-Extension-Identifier': 'an-identifier' }).end('{}')
    })
    const environment = { COCKROACH_GRACEFUL_SHUTDOWN: 'true', AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${server.port}` }
    const child = spawn(process.execPath, [outfile], { env: { PGHOST: 'db.example.com', ...environment } })
    child.stderr.once('data', (warning) => registered.resolve(String(warning)))
    child.once('close', () => registered.resolve('no registration'))
    const route = await registered.promise
    child.kill('SIGKILL')
    await server.stop()
    expect(route).toBe('/2020-01-01/extension/register')
  })
})

describe('types', () => {
  /** Wrong on purpose where it says so: types that resolve to nothing would let it pass. */
  const LIBRARY = `
    const text: Promise<string> = connectionString()
    // @ts-expect-error: not a number
    const wrong: Promise<number> = connectionString()
    const rows: Promise<{ rows: { one: number }[] }> = query<{ one: number }>('select 1 as one', [])
    const arrays: Promise<{ rows: unknown[][] }> = query({ text: 'select 1', rowMode: 'array' })
    const numbers: Promise<{ rows: [number][] }> = query<[number]>({ text: 'select 1', rowMode: 'array' })
    // @ts-expect-error: rows are typed
    const wrongRows: Promise<{ rows: { one: string }[] }> = query<{ one: number }>('select 1 as one')
    new ConnectionError('ERR_CONFIG', 'text')
    // @ts-expect-error: no such code
    new ConnectionError('ERR_NONE', 'text')
    export const handler = withDatabase(async (event: { id: string }, context, db) => (await db.query(event.id, [context.functionName])).rowCount)
    export const typed = withDatabase<{ id: string }, string>(async (event, context, db) => event.id + context.awsRequestId + db.deadlineMarginMs)
    const answer: Promise<string> = typed({ id: 'one' })
    // @ts-expect-error: the event is typed
    typed({ id: 1 }, { awsRequestId: 'of a unit test' })
    // @ts-expect-error: a misspelt option
    query('select 1', [], { idempotnet: true })
    // @ts-expect-error: a misspelt word of libpq
    createDatabase({ sslmode: 'verify_full' })
    createDatabase({ sslmode: 'verify-full' })
    void [text, wrong, rows, arrays, numbers, wrongRows, answer]
  `
  const OTHERS = `
    import { drizzle } from 'drizzle-orm/node-postgres'
    import { Hono } from 'hono'
    import { handle } from 'hono/aws-lambda'
    import type { ClientBase } from 'pg'
    export const handler = withDatabase(handle(new Hono()))
    export const orm = transaction(async (client) => drizzle({ client }).execute('select 1'))
    export const base = transaction(async (client): Promise<ClientBase> => client)
  `
  /** Typed by pg's, which are older or newer than those that the library was built with. */
  const OF_PG = `
    export const pool: Pick<import('pg').Pool, 'connect' | 'query' | 'end' | 'on'> = createDatabase({ maxUses: 1 }).getPool()
    export const prepared = createDatabase({ onConnect: (client) => client.query('select 1') })
    // @ts-expect-error: not a number of pg's pool
    createDatabase({ maxUses: 'many' })
    export const base = createDatabase().transaction(async (client): Promise<import('pg').ClientBase> => client)
  `
  const CONSTRUCTS = `
    export class Mine extends HealthCheckStack {}
    // @ts-expect-error: not a routing
    export const props: CockroachDatabaseProps['clusterRouting'] = 'host'
  `
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc')
  const tsc5 = join(typeScript5Folder(), 'lib/tsc.js')

  const IMPORT =
    "import { ConnectionError, connectionString, createDatabase, query, withDatabase } from 'cockroach-lambda'"
  const REQUIRE =
    "import library = require('cockroach-lambda')\nconst { ConnectionError, connectionString, createDatabase, query, withDatabase } = library"
  const IMPORT_CONSTRUCTS = "import { type CockroachDatabaseProps, HealthCheckStack } from 'cockroach-lambda/cdk'"

  test(
    'of the library are right in ES modules and CommonJS',
    () => {
      const files = { 'library.mts': IMPORT, 'library.cts': IMPORT, 'required.cts': REQUIRE }
      expect(check(files, `${LIBRARY}\n${OF_PG}`, { skipLibCheck: false })).toBe('')
    },
    TSC_TIMEOUT_MS,
  )

  test(
    'of the library are right with the oldest types of pg that the range has',
    () => {
      const files = { 'library.mts': IMPORT, 'required.cts': REQUIRE }
      const paths = { pg: [join(REPOSITORY, 'node_modules/types-pg-oldest/index.d.ts')] }
      expect(check(files, `${LIBRARY}\n${OF_PG}`, { skipLibCheck: false, paths })).toBe('')
    },
    TSC_TIMEOUT_MS,
  )

  test('the oldest types of pg are those that the range begins with', () => {
    const read = (path: string) => JSON.parse(readFileSync(join(REPOSITORY, path), 'utf8'))
    const { version } = read('node_modules/types-pg-oldest/package.json')
    expect(read('package.json').dependencies['@types/pg']).toBe(`^${version}`)
  })

  test(
    'of the library fit those of Hono and Drizzle',
    () => {
      const files = { 'others.mts': "import { transaction, withDatabase } from 'cockroach-lambda'" }
      expect(check(files, OTHERS, { skipLibCheck: true })).toBe('')
    },
    TSC_TIMEOUT_MS,
  )

  test(
    'of the constructs are right in ES modules and CommonJS',
    () => {
      const files = { 'constructs.mts': IMPORT_CONSTRUCTS, 'constructs.cts': IMPORT_CONSTRUCTS }
      // The CDK's own declarations take a quarter of a minute to check.
      expect(check(files, CONSTRUCTS, { skipLibCheck: true })).toBe('')
    },
    TSC_TIMEOUT_MS,
  )

  test(
    'of the library are right with module commonjs, as older versions of cdk init wrote it',
    () => {
      // Neither esModuleInterop nor skipLibCheck. That the constructs are found as well is seen by npm run check.
      const compilerOptions = {
        ...{ target: 'es2022', lib: ['es2022'], module: 'commonjs', strict: true },
        ...{ noEmit: true, types: ['node'], skipDefaultLibCheck: true },
      }
      write('commonjs.ts', `${IMPORT}\n${LIBRARY}`)
      const config = write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['commonjs.ts'] }))
      const said = compile(tsc5, config).split('\n')
      // Types of other packages follow a newer TypeScript than this.
      expect(said.filter((line) => /^(?:commonjs\.ts|node_modules\/cockroach-lambda)/.test(line))).toEqual([])
    },
    TSC_TIMEOUT_MS,
  )

  /** What tsc says about files that begin with an import and go on with `text`, under a consumer's strict settings. */
  function check(
    files: Readonly<Record<string, string>>,
    text: string,
    options: { skipLibCheck: boolean; paths?: Readonly<Record<string, readonly string[]>> },
  ): string {
    for (const [name, statement] of Object.entries(files)) write(name, `${statement}\n${text}`)
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      noEmit: true,
      types: ['node'],
      ...options,
    }
    return compile(tsc, write('tsconfig.json', JSON.stringify({ compilerOptions, files: Object.keys(files) })))
  }

  function compile(compiler: string, config: string): string {
    try {
      return execFileSync(process.execPath, [compiler, '-p', config], { cwd: folder, encoding: 'utf8' })
    } catch (error) {
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)
    }
  }
})
