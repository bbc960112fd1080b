import { Writable } from 'node:stream'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Database, type DatabaseOptions, type InvocationContext, withDatabase } from '../../src/index.ts'
import { openProduct, type Product, rejection } from '../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  product.cloud.standIn.resetCounts()
  product.secretsManager.requests.length = 0
})

/** A handler's context whose deadline is `ms` away. */
const contextOf = (ms: number) => {
  const endAt = Date.now() + ms
  return { awsRequestId: 'request-1', getRemainingTimeInMillis: () => endAt - Date.now() }
}

describe('withDatabase()', () => {
  test('connects before the first invocation', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => (await db.query('select 1 as one')).rows, {
      secretId,
    })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    expect(await handler({}, contextOf(5000))).toEqual([{ one: 1 }])
    expect({ parameters: handler.length, logins: cloud.standIn.counts.logins }).toEqual({ parameters: 2, logins: 1 })
  })

  test('leaves an error of connecting during init to the first statement', async () => {
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId: 'absent' })
    await expect(handler({}, contextOf(5000))).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })

  test('runs a handler with wrong settings, so that it can report them', async () => {
    const { healthCheck } = product.database({ port: 0 })
    const handler = withDatabase(() => healthCheck(), { port: 0 })
    expect(await handler({}, contextOf(5000))).toMatchObject({ ok: false, error: { code: 'ERR_CONFIG' } })
  })
})

/** What Lambda's context may be elsewhere: in unit tests, in other clouds, in local runners. */
const FOREIGN_CONTEXTS = [
  ['no context', undefined],
  ['null', null],
  ['an empty context', {}],
  ['a context without a method', { getRemainingTimeInMillis: 3000 }],
  ['a text', 'context'],
  ...['Infinity', 'NaN'].map((value) => [`${value} ms left`, contextWith(Number(value))] as const),
  ['a text of ms left', contextWith('3000')],
  ['nothing left to say', contextWith(undefined)],
  ['2^31 ms left', contextWith(2 ** 31)],
  ['2^53 ms left', contextWith(2 ** 53)],
] as const

function contextWith(remaining: unknown) {
  return { getRemainingTimeInMillis: () => remaining }
}

/** Calls a handler as a program without types does. */
function call(handler: unknown, ...passed: unknown[]): Promise<unknown> {
  if (typeof handler !== 'function') expect.fail('no function')
  return Reflect.apply(handler, undefined, passed)
}

describe('a handler', () => {
  test.each(FOREIGN_CONTEXTS)('with %s runs without a deadline, and gets the context as it is', async (_, context) => {
    const { secretId } = product
    const handler = withDatabase(
      async (_event: unknown, given, db) => ({ given, rows: (await db.query('select pg_sleep(0.05), 1 as one')).rows }),
      { secretId },
    )
    const rows = [{ pg_sleep: '', one: 1 }]
    expect(await call(handler, {}, context)).toEqual({ given: context, rows })
  })

  test.each([
    ['a minute less than nothing', -60_000],
    ['-Infinity', Number.NEGATIVE_INFINITY],
  ])('with %s left gets ERR_DEADLINE', async (_, remaining) => {
    const { secretId } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    await expect(call(handler, {}, contextWith(remaining))).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
  })

  test.each([1, 5, 20, 100])('with %d ms left and a silent Secrets Manager gets ERR_DEADLINE', async (remainingMs) => {
    const { secretId, secretsManager } = product
    secretsManager.delayMs = 1000
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    const error = await rejection(handler({}, contextOf(remainingMs)))
    secretsManager.delayMs = 0
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })

  test.each([100])('with %d ms left and a silent server gets ERR_DEADLINE', async (remainingMs) => {
    const { secretId, cloud } = product
    cloud.standIn.onClientMessage = () => 'drop'
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    const error = await rejection(handler({}, contextOf(remainingMs)))
    cloud.standIn.onClientMessage = undefined
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })

  test('with a callback as its third argument, as on Node 22, gets the database third', async () => {
    const { secretId } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => typeof db.query, { secretId })
    expect(await call(handler, {}, contextOf(60_000), () => undefined)).toBe('function')
  })
})

describe('a streaming handler', () => {
  /** What `awslambda.streamifyResponse()` does. */
  const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming')
  const streamify = <Handler extends object>(handler: Handler): Handler =>
    Object.assign(handler, { [STREAMING]: 'response' })

  class Response extends Writable {
    text = ''

    override _write(chunk: Buffer, _encoding: string, done: () => void): void {
      this.text += chunk.toString()
      done()
    }
  }

  const answer = async (event: unknown, stream: Writable, context: InvocationContext, db: Database): Promise<void> => {
    const { rows } = await db.query('select $1::text as word', [event])
    stream.end(`${rows[0]?.word}, ${context?.getRemainingTimeInMillis() > 0}`)
  }

  test('gets event, responseStream, context and the database', async () => {
    const handler = withDatabase(answer, { secretId: product.secretId })
    const response = new Response()
    await handler('streamed', response, contextOf(60_000))
    expect([response.text, handler.length]).toEqual(['streamed, true', 2])
  })

  test.each([
    ['that is wrapped', (options: DatabaseOptions) => streamify(withDatabase(answer, options))],
    ['that wraps', (options: DatabaseOptions) => withDatabase(streamify(answer), options)],
  ])('%s by streamifyResponse() is marked for Lambda', async (_, wrap) => {
    expect(Reflect.get(wrap({ secretId: product.secretId }), STREAMING)).toBe('response')
  })

  test('ends its statements before the deadline: ERR_DEADLINE', async () => {
    const handler = withDatabase(
      (_event: unknown, _stream: Writable, _context: InvocationContext, db: Database) =>
        db.query('select pg_sleep(30)'),
      { secretId: product.secretId },
    )
    await expect(handler({}, new Response(), contextOf(1500))).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
  })

  test('without context runs without a deadline', async () => {
    const handler = withDatabase(
      async (_event: unknown, stream: Writable, context: InvocationContext, db: Database) =>
        void stream.end(String(context === undefined && (await db.query('select 1')).rowCount)),
      { secretId: product.secretId },
    )
    const response = new Response()
    await handler({}, response)
    expect(response.text).toBe('1')
  })
})

describe('a statement in an invocation', () => {
  test('is cancelled at the server before the deadline: ERR_DEADLINE', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(
      async (_event: unknown, _context, db) => db.query('select pg_sleep(30), 42 as deadline_marker'),
      { secretId },
    )
    const context = contextOf(2000)
    await expect(handler({}, context)).rejects.toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: false })
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(100)
    const running = async () =>
      (
        await cloud.postgres.query(
          "select 1 from pg_stat_activity where state = 'active' and query like '%deadline_marker%' and pid <> pg_backend_pid()",
        )
      ).length
    await expect.poll(running).toBe(0)
    expect(cloud.standIn.counts.cancels).toBe(1)
    await expect(handler({}, contextOf(1000))).rejects.toMatchObject({ code: 'ERR_DEADLINE' })
  })

  test('waits for Secrets Manager until the deadline, not longer: ERR_SECRET_UNAVAILABLE', async () => {
    const { secretId, secretsManager } = product
    secretsManager.delayMs = 3000
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    const context = contextOf(1200)
    const error = await rejection(handler({}, context))
    secretsManager.delayMs = 0
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', safeToRetry: true })
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(100)
  })

  test('is not sent without time left: ERR_DEADLINE', async () => {
    const { secretId, cloud } = product
    const handler = withDatabase(async (_event: unknown, _context, db) => db.query('select 1'), { secretId })
    await expect.poll(() => cloud.standIn.counts.authOk).toBe(1)
    await expect(handler({}, contextOf(0))).rejects.toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })
})
