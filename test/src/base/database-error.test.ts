import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { isDatabaseError } from '../../../src/base/database-error.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

let product: Product

beforeAll(async () => {
  product = await openProduct()
})

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
})

test('the answer of a server is a DatabaseError', async () => {
  const error = await rejection(product.database().query('select * from nowhere'))
  expect([isDatabaseError(error), error instanceof pg.DatabaseError]).toEqual([true, true])
})

test('an error of the class DatabaseError is one, without any field of an answer', () => {
  expect(isDatabaseError(new pg.DatabaseError('no', 0, 'error'))).toBe(true)
})

describe('no DatabaseError', () => {
  test.each([
    ['an error with an SQLSTATE', Object.assign(new Error('no'), { code: '57P01' })],
    ['a ConnectionError', new ConnectionError('ERR_DEADLINE', 'late')],
    ['an error with this name alone', Object.assign(new Error('no'), { name: 'error' })],
    ['an error with a length alone', Object.assign(new Error('no'), { length: 2 })],
    ['an error whose length is a text', Object.assign(new Error('no'), { name: 'error', length: '2' })],
    ['an object with these fields', { name: 'error', length: 2, code: '57P01' }],
    ['a text', 'error'],
    ['undefined', undefined],
  ])('is %s', (_, error) => {
    expect(isDatabaseError(error)).toBe(false)
  })
})
