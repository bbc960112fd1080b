/** The spans of a function with a `pg` of its own, which may be instrumented: by the packed package, and by the layer. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Scratch } from '../support/lambda.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { awsEnvironment, openProduct, type Product } from '../support/product.ts'

const LOOPBACK_NAMES = join(import.meta.dirname, '../../local/loopback/names-preload.ts')
const PROGRAM = join(import.meta.dirname, '../fixtures/observability/instrumented-pg.cjs')
const PACK_TIMEOUT_MS = 60_000

let product: Product
let scratch: Scratch
let program: string

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  installPackedPackage(scratch.path)
  program = join(await scratch.folder('app', { 'index.cjs': readFileSync(PROGRAM, 'utf8') }), 'index.cjs')
}, PACK_TIMEOUT_MS)

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

const LAYER_MODULE = join(import.meta.dirname, '../../dist/layer/nodejs/node_modules/cockroach-lambda/index.cjs')

/** Scope and first word of each span, in the order of their ends. */
async function spansOf(library: string, kind: 'plain' | 'instrumented'): Promise<unknown> {
  const { secretsManager, secretId } = product
  const lambda = { LAMBDA_TASK_ROOT: scratch.path, _HANDLER: 'app/index.handler' }
  const env = { ...awsEnvironment(secretsManager), ...lambda, COCKROACH_SECRET_ID: secretId }
  const args = [`--import=${LOOPBACK_NAMES}`, program, kind, library]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  return JSON.parse(stdout)
}

const OURS = 'cockroach-lambda'
const THEIRS = 'instrumentation-pg'

describe.each([
  ['the packed package', 'cockroach-lambda'],
  ['the layer', LAYER_MODULE],
])('%s', (_, library) => {
  test('without instrumentation of pg, all spans are the library’s', async () => {
    expect(await spansOf(library, 'plain')).toEqual([
      [OURS, 'SecretsManager/GetSecretValue'],
      [OURS, 'connect'],
      [OURS, 'BEGIN'],
      [OURS, 'select'],
      [OURS, 'COMMIT'],
      [OURS, 'transaction'],
    ])
  })

  test('with instrumentation of pg, connects and statements have its spans, and no second one', async () => {
    expect(await spansOf(library, 'instrumented')).toEqual([
      [OURS, 'SecretsManager/GetSecretValue'],
      [THEIRS, 'pg.connect'],
      [THEIRS, 'pg.query:BEGIN'],
      [THEIRS, 'pg.query:SELECT'],
      [THEIRS, 'pg.query:COMMIT'],
      [OURS, 'transaction'],
    ])
  })
})
