/** What functions bring with them for large results, on the built layer, in a Lambda runtime. */
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Scratch, startFunction } from '../support/lambda.ts'
import { openProduct, type Product } from '../support/product.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')

const FUNCTION = `
import { pipeline } from 'node:stream/promises'
import { PassThrough } from 'node:stream'
import { withDatabase } from 'cockroach-lambda'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { from, to } from 'pg-copy-streams'
const slow = "select pg_sleep(30), 'layer_marker'"
const drain = async (stream) => { for await (const item of stream) String(item) }
const uses = {
  cursor: (client) => client.query(new Cursor(slow)).read(1),
  queryStream: (client) => drain(client.query(new QueryStream(slow))),
  copyTo: (client) => drain(client.query(to('copy (' + slow + ') to stdout'))),
  copyFrom: (client) => pipeline(new PassThrough(), client.query(from('copy received from stdin'))),
}
export const handler = withDatabase(async ({ use }, context, db) => {
  if (use === undefined) return (await db.query('create table received (id int)')).command
  const client = await db.getClient()
  try {
    return await uses[use](client).then(() => 'done', ({ code }) => ({ code, hasTime: context.getRemainingTimeInMillis() > 100 }))
  } finally {
    client.release()
  }
})
`

let product: Product
let scratch: Scratch
let code: string

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  code = join(scratch.path, 'function')
  await build({
    stdin: { contents: FUNCTION, resolveDir: REPOSITORY, loader: 'js' },
    outfile: join(code, 'index.mjs'),
    ...{ bundle: true, platform: 'node', format: 'esm', external: ['cockroach-lambda', 'pg-native'] },
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
  })
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
})

test('a cursor, a query stream and COPY end at the deadline, and the next invocation is answered', async () => {
  const { secretsManager, secretId, cloud } = product
  const environment = await startFunction(
    'index.handler',
    { code, layers: [LAYER], environment: { COCKROACH_SECRET_ID: secretId }, timeoutSeconds: 20 },
    {
      execArgv: [`--import=${LOOPBACK_NAMES}`],
      environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
    },
  )
  expect(await environment.invoke({})).toMatchObject({ payload: 'CREATE' })
  for (const use of ['cursor', 'queryStream', 'copyTo', 'copyFrom']) {
    const result = await environment.invoke({ use }, { timeoutMs: 3000 })
    expect({ use, ...result }).toMatchObject({ use, ok: true, payload: { code: 'ERR_DEADLINE', hasTime: true } })
  }
  const running = async () =>
    (
      await cloud.postgres.query(
        "select 1 from pg_stat_activity where query like '%layer_marker%' and state = 'active' and pid <> pg_backend_pid()",
      )
    ).length
  await expect.poll(running).toBe(0)
  expect([environment.coldStarts, cloud.standIn.counts.cancels]).toEqual([1, 4])
})
