/** Each channel that docs/observability.md names has a message when the page says so. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Cursor from 'pg-cursor'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { inInvocation } from '../support/invocation.ts'
import { codeIn, readPage, tableOf } from '../support/page.ts'
import { openProduct, type Product, rejection } from '../support/product.ts'
import { endSessions } from '../support/sessions.ts'

const CHANNELS = tableOf(readPage('docs/observability.md'), 'Channels').flatMap(([channel]) => codeIn(channel))

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

const PID = expect.any(Number)
const MS = expect.any(Number)

/** What makes it happen, and the messages that come of it. */
const PROVOKED: Readonly<Record<string, readonly [() => Promise<unknown>, readonly object[]]>> = {
  'cockroach-lambda:secret': [
    () => product.database().query('select 1'),
    [{ secretId: 'app/db', versionId: expect.any(String), versionStage: 'AWSCURRENT', ms: MS }],
  ],
  'cockroach-lambda:connect': [
    () => product.database().query('select 1'),
    [{ host: expect.any(String), port: expect.any(Number), backendPid: PID, attempt: 0, ms: MS }],
  ],
  'cockroach-lambda:loginRefused': [
    () => rejection(product.database({ password: 'a wrong one' }).query('select 1')),
    [{ host: expect.any(String), port: expect.any(Number), user: expect.any(String) }],
  ],
  'cockroach-lambda:reuse': [
    async () => {
      const { query } = product.database()
      await query('select 1')
      await query('select 1')
    },
    [{ backendPid: PID, uses: 1 }],
  ],
  'cockroach-lambda:invocation': [
    () => inInvocation(2000, async () => undefined),
    [
      { awsRequestId: undefined, hasEnded: false },
      { awsRequestId: undefined, hasEnded: true },
    ],
  ],
  'cockroach-lambda:connectFailed': [
    () => rejection(inInvocation(3000, () => product.database({ port: 1 }).query('select 1'))),
    expect.arrayContaining([
      { code: 'ERR_CONNECT', message: expect.stringContaining('ECONNREFUSED'), attempt: 0, retryInMs: MS },
      expect.objectContaining({ retryInMs: undefined }),
    ]),
  ],
  'cockroach-lambda:discard': [
    async () => {
      const client = await product.database().getClient()
      client.release(true)
    },
    [{ reason: 'released as broken', ageMs: MS, idleForMs: MS, backendPid: PID }],
  ],
  'cockroach-lambda:retry': [
    async () => {
      let runs = 0
      await product.database().transaction(async (client) => {
        runs += 1
        if (runs === 1) await endSessions(product)
        await client.query('select 1')
      })
    },
    [{ code: expect.any(String), attempt: expect.any(Number), retryInMs: MS }],
  ],
  'cockroach-lambda:deadline': [
    async () => {
      const database = product.database({ max: 2 })
      const { query, getClient } = database
      await inInvocation(2000, async () => {
        await using client = await getClient()
        const cursor = client.query(new Cursor('select pg_sleep(20)'))
        await Promise.all([rejection(query('select pg_sleep(20)')), rejection(cursor.read(1))])
      })
    },
    [
      { budgetMs: MS, backendPid: PID },
      { budgetMs: MS, backendPid: PID },
    ],
  ],
  'cockroach-lambda:warning': [
    () => product.database({ sslmode: 'require' }).query('select 1'),
    [{ kind: 'settings', message: expect.stringContaining('sslmode') }],
  ],
}

test.each(CHANNELS)('%s', async (channel) => {
  const [provoke, messages] = PROVOKED[channel] ?? expect.fail('nothing here provokes it')
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const told: unknown[] = []
  const listen = (message: unknown): void => void told.push(message)
  subscribe(channel, listen)
  await provoke()
  unsubscribe(channel, listen)
  stderr.mockRestore()
  expect(told).toEqual(messages)
})
