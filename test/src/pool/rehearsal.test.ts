import { channel, tracingChannel } from 'node:diagnostics_channel'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { databaseClientClass } from '../../../src/pool/client-class.ts'
import type { Pg } from '../../../src/pool/pg.ts'
import { rehearseStatement } from '../../../src/pool/rehearsal.ts'

const COPY = pg as unknown as Pg

test('a rehearsal logs in and gets a row, and tells nobody', async () => {
  const told = vi.fn()
  const channels = ['connect', 'reuse', 'acquire', 'deadline'].map((name) => channel(`cockroach-lambda:${name}`))
  for (const one of channels) one.subscribe(told)
  const statements = tracingChannel('cockroach-lambda:statement')
  const listeners = { start: told, end: told, asyncStart: told, asyncEnd: told, error: told }
  statements.subscribe(listeners)
  const results: unknown[] = []
  const DatabaseClient = databaseClientClass(COPY)
  class WatchedClient extends DatabaseClient {
    override async probe(timeoutMs: number): Promise<boolean> {
      const connection: unknown = Reflect.get(this, 'connection')
      Object(connection).on('dataRow', ({ fields }: { fields: unknown[] }) => results.push(fields.map(String)))
      const answers = await super.probe(timeoutMs)
      results.push(answers, this.getTransactionStatus(), this.backendPid)
      return answers
    }
  }
  await rehearseStatement((config) => new WatchedClient(config))
  expect(results).toEqual([['1'], true, 'I', 1])
  expect(told).not.toHaveBeenCalled()
  for (const one of channels) one.unsubscribe(told)
  statements.unsubscribe(listeners)
})
