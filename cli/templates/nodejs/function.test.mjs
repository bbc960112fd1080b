// Runs with `node --test`, and needs neither AWS nor a database.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { greet } from './function/index.mjs'

test('greets by name', async () => {
  const db = { query: async (_text, [greeting]) => ({ rows: [{ greeting }] }) }
  assert.deepEqual(await greet({ name: 'Rex' }, undefined, db), { greeting: 'Hello, Rex!' })
})

test('reports its health to an event without a name', async () => {
  const db = { healthCheck: async () => ({ ok: true }) }
  assert.deepEqual(await greet({}, undefined, db), { ok: true })
})
