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
  const answers: Promise<boolean>[] = []
  const DatabaseClient = databaseClientClass(COPY)
  class WatchedClient extends DatabaseClient {
    override probe(timeoutMs: number): Promise<boolean> {
      const connection: unknown = Reflect.get(this, 'connection')
      Object(connection).on('dataRow', ({ fields }: { fields: unknown[] }) =>
        results.push(fields.map(String), this.getTransactionStatus(), this.backendPid),
      )
      const answer = super.probe(timeoutMs)
      answers.push(answer)
      return answer
    }
  }
  rehearseStatement((config) => new WatchedClient(config))
  // At once: what waits for a turn of the event loop comes when init is over.
  expect(results).toEqual([['1'], 'I', 1])
  expect(await Promise.all(answers)).toEqual([true])
  expect(told).not.toHaveBeenCalled()
  for (const one of channels) one.unsubscribe(told)
  statements.unsubscribe(listeners)
})
