import { tracingChannel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TracedOperation, traced } from '../../../src/base/tracing.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'
import { endSessions } from '../../support/sessions.ts'

type Event = readonly [name: string, operation: TracedOperation]

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

/** What subscribers of one channel are told while `work` runs. */
async function told(kind: string, work: () => Promise<unknown>): Promise<readonly Event[]> {
  const events: Event[] = []
  const listen = (name: string) => (operation: TracedOperation) => void events.push([name, operation])
  const subscribers = {
    start: listen('start'),
    end: listen('end'),
    asyncStart: listen('asyncStart'),
    asyncEnd: listen('asyncEnd'),
    error: listen('error'),
  }
  const channel = tracingChannel<unknown, TracedOperation>(`cockroach-lambda:${kind}`)
  channel.subscribe(subscribers)
  await work().finally(() => channel.unsubscribe(subscribers))
  return events
}

/** The operations that were begun, as they are once they have ended. */
async function operations(kind: string, work: () => Promise<unknown>): Promise<readonly TracedOperation[]> {
  return (await told(kind, work)).filter(([name]) => name === 'start').map(([, operation]) => operation)
}

describe('a statement', () => {
  const SERVER = { 'db.system.name': 'postgresql', 'db.namespace': expect.stringContaining('defaultdb') }

  test('is told from its start to its end', async () => {
    const { query } = product.database()
    const events = await told('statement', () => query('select 1'))
    expect(events.map(([name]) => name)).toEqual(['start', 'end', 'asyncStart', 'asyncEnd'])
    expect(new Set(events.map(([, operation]) => operation)).size).toBe(1)
  })

  test('has its text if the values are beside it, and never the values nor the rows', async () => {
    const { query } = product.database()
    const text = 'select $1::text as word'
    const [operation] = await operations('statement', () => query(text, ['a value']))
    expect(operation).toMatchObject({
      name: expect.stringMatching(/^select .*defaultdb$/),
      attributes: {
        ...SERVER,
        'server.address': product.cloud.host,
        'server.port': product.cloud.standIn.port,
        'db.operation.name': 'select',
        'db.query.text': text,
      },
    })
    expect(inspect(operation, { depth: Number.POSITIVE_INFINITY })).not.toContain('a value')
  })

  test.each([
    ['without values', "select 'a value'", undefined],
    ['with an empty list of them', "select 'a value'", []],
  ])('%s has no text', async (_, text, values) => {
    const { query } = product.database()
    const [operation] = await operations('statement', () => query(text, values))
    expect(operation?.attributes).toMatchObject({ 'db.operation.name': 'select', 'db.query.text': undefined })
    expect(inspect(operation, { depth: Number.POSITIVE_INFINITY })).not.toContain('a value')
  })

  test('that is a record has its text too', async () => {
    const { query } = product.database()
    const config = { text: 'select $1::int', values: [1] }
    const [operation] = await operations('statement', () => query(config))
    expect(operation?.attributes).toMatchObject({ 'db.query.text': config.text })
  })

  test.each([
    ['select 1; select 2', undefined],
    ['select 1 ; ', 'select'],
    ['  WITH one as (select 1) table one', 'WITH'],
    ['/* a comment */ select 1', undefined],
  ])('%j has the operation %s', async (text, operationName) => {
    const { query } = product.database()
    const [operation] = await operations('statement', () => query(text))
    expect(operation?.attributes['db.operation.name']).toBe(operationName)
    if (operationName === undefined) expect(operation?.name).toMatch(/^[^ ]*defaultdb$/)
  })

  test('at a server that says so has the system cockroachdb', async () => {
    product.cloud.standIn.crdbVersion = 'CockroachDB CCL v25.4.1'
    const { query } = product.database()
    const [operation] = await operations('statement', () => query('select 1'))
    product.cloud.standIn.crdbVersion = undefined
    expect(operation?.attributes).toMatchObject({ 'db.system.name': 'cockroachdb' })
  })

  test('that the server refuses has its SQLSTATE', async () => {
    const { query } = product.database()
    const events = await told('statement', () => rejection(query("select 'a value'::int")))
    expect(events.map(([name]) => name)).toEqual(['start', 'end', 'error', 'asyncStart', 'asyncEnd'])
    const [[, operation] = []] = events
    expect(operation).toMatchObject({
      attributes: { 'error.type': '22P02', 'db.response.status_code': '22P02' },
      error: { code: '22P02' },
    })
    expect(JSON.stringify(operation?.attributes)).not.toContain('a value')
  })

  test('whose connection broke has our code', async () => {
    const { query } = product.database()
    const isRunning = "select 1 from pg_stat_activity where query like '%broken_marker%' and pid <> pg_backend_pid()"
    const [operation] = await operations('statement', async () => {
      const failed = rejection(query("select pg_sleep(30), 'broken_marker'"))
      await expect.poll(() => product.cloud.postgres.query(isRunning)).toHaveLength(1)
      for (const connection of product.cloud.standIn.connections) connection.reset()
      await failed
    })
    expect(operation?.attributes).toMatchObject({ 'error.type': 'ERR_CONNECTION_LOST' })
    expect(operation?.attributes['db.response.status_code']).toBeUndefined()
  })
})

describe('a transaction', () => {
  test('has the number of its repeats', async () => {
    const { transaction } = product.database()
    const [operation, ...others] = await operations('transaction', () => {
      let runs = 0
      return transaction(async (client) => {
        runs += 1
        if (runs === 1) await endSessions(product)
        await client.query('select 1')
      })
    })
    expect(operation).toMatchObject({ name: 'transaction', attributes: { 'cockroach_lambda.retry_count': 1 } })
    expect(others).toEqual([])
  })

  test('that fails with an error of the work has its name, and a code only if it looks like one', async () => {
    const { transaction } = product.database()
    const failing = (error: Error) => () =>
      rejection(
        transaction(() => {
          throw error
        }),
      )
    const secretly = Object.assign(new RangeError('no'), { code: 'a value: 42' })
    const [named] = await operations('transaction', failing(secretly))
    const [coded] = await operations('transaction', failing(Object.assign(new Error('no'), { code: 'ERR_OWN' })))
    expect(named?.attributes['error.type']).toBe('RangeError')
    expect(coded?.attributes['error.type']).toBe('ERR_OWN')
  })
})

describe('connecting', () => {
  test('has the server, and no login', async () => {
    const { query } = product.database()
    const [operation] = await operations('connect', () => query('select 1'))
    expect(operation).toMatchObject({
      name: 'connect',
      attributes: { 'db.system.name': 'postgresql', 'server.address': product.cloud.host },
    })
    expect(inspect(operation, { depth: Number.POSITIVE_INFINITY })).not.toContain(product.cloud.password)
  })

  test('that is refused has our code, and the SQLSTATE of its cause', async () => {
    const { query } = product.database({ password: 'a wrong one', user: product.cloud.user })
    const [operation] = await operations('connect', () => rejection(query('select 1')))
    expect(operation?.attributes).toMatchObject({
      // By the name of the host, since the server has not said what it is.
      'db.system.name': 'cockroachdb',
      'error.type': 'ERR_AUTHENTICATION',
      'db.response.status_code': '28P01',
    })
    expect(JSON.stringify(operation?.attributes)).not.toContain('a wrong one')
  })
})

describe('reading the secret', () => {
  test('is told without the secret', async () => {
    const { query } = product.database()
    const [operation] = await operations('secret', () => query('select 1'))
    expect(operation).toMatchObject({
      name: 'SecretsManager/GetSecretValue',
      attributes: { 'rpc.system.name': 'aws-api', 'rpc.method': 'SecretsManager/GetSecretValue' },
    })
    expect(inspect(operation, { depth: Number.POSITIVE_INFINITY })).not.toContain(product.cloud.password)
  })

  test('of one that is absent has our code', async () => {
    const { query } = product.database({ secretId: 'absent' })
    const [operation] = await operations('secret', () => rejection(query('select 1')))
    expect(operation?.attributes).toMatchObject({ 'error.type': 'ERR_SECRET_UNAVAILABLE' })
  })
})

describe('without a subscriber', () => {
  let described = 0
  const describeIt = (): TracedOperation => {
    described += 1
    return { name: 'it', attributes: {} }
  }
  beforeEach(() => {
    described = 0
  })

  test('nothing is described, and the very promise of the work is returned', async () => {
    const promise = Promise.resolve(1)
    expect(traced('statement', describeIt, () => promise)).toBe(promise)
    expect(described).toBe(0)
  })
})
