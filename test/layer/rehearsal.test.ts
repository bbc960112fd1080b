import { afterAll, beforeAll, expect, test } from 'vitest'
import { Scratch } from '../support/lambda.ts'
import { startOnLayer } from '../support/layer-function.ts'
import { openProduct, type Product } from '../support/product.ts'
import { LATE_SECRET_MS, rehearsesInInit } from '../support/rehearsal.ts'

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
