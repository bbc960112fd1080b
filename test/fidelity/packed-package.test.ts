/** The packed npm package without the layer: in a plain Node process outside Lambda, and bundled into a function. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { type BuildOptions, build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { type UnpackedFolder, unpack } from '../../local/lambda/unpacked-folder.ts'
import { type SampleStack, startSampleStack } from '../../local/sample/stack.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { LOOPBACK_NAMES, NODE_BINARIES, startUnderClient } from './support/sample-functions.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures/fidelity')
const RUNTIMES: readonly LambdaRuntime[] = ['nodejs24.x', 'nodejs22.x']

let stack: SampleStack
let layer: UnpackedFolder
let certificate: string
/** The package is installed here, beside the programs that use it. */
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-packed-'))

beforeAll(async () => {
  stack = await startSampleStack()
  layer = await unpack(stack.definition.layers)
  certificate = readFileSync(join(layer.path, 'certs/root.crt'), 'utf8')
  installPackedPackage(folder)
  for (const name of ['container', 'bundled']) cpSync(join(FIXTURES, name), join(folder, name), { recursive: true })
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await layer?.release()
  await stack?.[Symbol.asyncDispose]()
})

/** A home folder as AWS and PostgreSQL document it. */
function makeHome(leftOut = ''): string {
  const home = mkdtempSync(join(folder, 'home-'))
  const files = {
    '.aws/config': `[default]\nregion = ap-southeast-1\nendpoint_url = ${stack.secretsManager.url}\n`,
    '.aws/credentials': '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = not-a-real-key\n',
    '.postgresql/root.crt': certificate,
  }
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(home, name)), { recursive: true })
    if (name !== leftOut) writeFileSync(join(home, name), text)
  }
  return home
}

/** Runs a program as a container would: no variable of Lambda's, or of AWS's keys; it must end by itself. */
async function runInContainer(program: string, home: string, runtime: LambdaRuntime = 'nodejs24.x'): Promise<unknown> {
  const { COCKROACH_SECRET_ID } = stack.definition.environment
  // Looking for the role of a virtual machine would take seconds where there is none.
  const env = { HOME: home, COCKROACH_SECRET_ID, AWS_EC2_METADATA_DISABLED: 'true' }
  const args = [LOOPBACK_NAMES, join(folder, 'container', program)]
  const { stdout } = await promisify(execFile)(NODE_BINARIES[runtime], args, { env, cwd: folder, timeout: 60_000 })
  return JSON.parse(stdout)
}

describe('in a container', () => {
  test.each(RUNTIMES.flatMap((runtime) => ['app.mjs', 'app.cjs'].map((program) => [runtime, program] as const)))(
    "%s, %s: the SDK's credential chain and ~/.postgresql/root.crt suffice",
    async (runtime, program) => {
      const home = makeHome()
      expect(await runInContainer(program, home, runtime)).toMatchObject({
        ok: true,
        tls: { authorized: true },
        rootCertificate: { origin: 'home', path: join(home, '.postgresql/root.crt') },
      })
    },
  )

  test.each([
    ['.aws/credentials', 'ERR_SECRET_UNAVAILABLE'],
    ['.postgresql/root.crt', 'ERR_TLS'],
  ])('without ~/%s it is %s', async (leftOut, code) => {
    expect(await runInContainer('app.mjs', makeHome(leftOut))).toMatchObject({ ok: false, error: { code } })
  })
})

/** As esbuild's own documents, and the CDK's NodejsFunction, have it. */
const BUNDLES: readonly (readonly [string, BuildOptions])[] = [
  ['CommonJS, all in one', { format: 'cjs', outfile: 'index.js' }],
  ['CommonJS, the SDK left to the runtime', { format: 'cjs', outfile: 'index.js', external: ['@aws-sdk/*'] }],
  ['CommonJS, minified', { format: 'cjs', outfile: 'index.js', minify: true }],
  [
    'ES module',
    {
      format: 'esm',
      outfile: 'index.mjs',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    },
  ],
]

/** Bundles the function; the certificate lies beside it, where the article had it. */
async function bundle(options: BuildOptions): Promise<string> {
  const code = mkdtempSync(join(folder, 'code-'))
  await build({
    bundle: true,
    platform: 'node',
    target: 'node22',
    logLevel: 'silent',
    absWorkingDir: folder,
    entryPoints: [join(folder, 'bundled/index.mjs')],
    ...options,
    outfile: join(code, options.outfile ?? 'index.js'),
  })
  writeFileSync(join(code, 'root.crt'), certificate)
  return code
}

describe.each(BUNDLES)('bundled as %s', (_name, options) => {
  test.each(RUNTIMES)('%s: the function needs no layer', async (runtime) => {
    const environment = { ...stack.definition.environment, PGSSLROOTCERT: './root.crt' }
    const changes = { runtime, environment, code: await bundle(options), layers: [] }
    await using started = await startUnderClient(stack, changes)
    const [cold, warm] = [await started.invoke({}), await started.invoke({})]
    expect([cold, warm]).toMatchObject([
      { payload: { ok: true, tls: { authorized: true }, rootCertificate: { origin: 'PGSSLROOTCERT' } } },
      { payload: { ok: true, connection: { reused: true } } },
    ])
  })

  test('SIGTERM ends its session', async () => {
    const environment = {
      ...stack.definition.environment,
      PGSSLROOTCERT: './root.crt',
      COCKROACH_GRACEFUL_SHUTDOWN: 'true',
    }
    const changes = { environment, code: await bundle(options), layers: [] }
    const started = await startUnderClient(stack, changes, { onKill: () => stack.cloud.blackHoleAll() })
    expect(await started.invoke({})).toMatchObject({ payload: { ok: true } })
    expect(await started.shutdown()).toMatchObject({ signalled: true })
    await vi.waitUntil(async () => (await stack.postgres.sessions({ user: 'app' })).length === 0, { timeout: 20_000 })
  })
})
