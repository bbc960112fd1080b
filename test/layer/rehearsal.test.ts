import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { copyPackages } from '../../cdk/package-closure.ts'
import { Scratch } from '../support/lambda.ts'
import { startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'
import { LATE_SECRET_MS, rehearsesInInit } from '../support/rehearsal.ts'

const REPOSITORY = join(import.meta.dirname, '../..')

let product: Product
let scratch: Scratch

beforeAll(async () => {
  product = await openProduct()
  product.secretsManager.delayMs = LATE_SECRET_MS
  scratch = await Scratch.make()
})

afterAll(async () => {
  await scratch?.[Symbol.asyncDispose]()
  await product?.[Symbol.asyncDispose]()
})

test.each([
  ['small', 256, true],
  ['large', 1769, false],
])(
  'a %s function that does not wait in init, with %i MB, has rehearsed its login when init ends: %s',
  async (_size, memoryMb, expected) => {
    const start = ({ code = '', ...changes }) => startOnLayer(product, code, changes)
    expect(await rehearsesInInit(scratch.path, start, memoryMb)).toBe(expected)
  },
)

const WATCHES_ROWS = `
import { webcrypto } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { ready, withDatabase } from 'cockroach-lambda'
const rows = []
const { emit } = EventEmitter.prototype
EventEmitter.prototype.emit = function (name, ...given) {
  if (name === 'dataRow') rows.push(given[0].fields.map(String))
  return Reflect.apply(emit, this, [name, ...given])
}
const keys = []
const { importKey } = webcrypto.subtle
Object.getPrototypeOf(webcrypto.subtle).importKey = function (...given) {
  keys.push(given[2])
  return Reflect.apply(importKey, this, given)
}
export const handler = withDatabase(() => ({ rows, keys: keys.length }))
await ready()
`

test('with a pg of the function, which may be instrumented, no statement is rehearsed, but SCRAM with Web Crypto', async () => {
  const code = await scratch.folder('own-pg', { 'index.mjs': WATCHES_ROWS })
  await copyPackages(['pg'], REPOSITORY, code)
  const environment = await startOnLayer(product, code)
  expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { rows: [], keys: 2 } })
})

test('a statement is rehearsed to its end, with the answers of no server', async () => {
  const code = await scratch.folder('watches-rows', { 'index.mjs': WATCHES_ROWS })
  const environment = await startOnLayer(product, code)
  expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { rows: [['1']], keys: 0 } })
})
