/** Passwords do not print. */
import { format, inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'

const SECRET = 'p@ss/w#rd'
const password = new Password(SECRET)

describe('every way of printing gives [redacted]', () => {
  test.each([
    ['String()', String(password), '[redacted]'],
    ['a template', `${password}`, '[redacted]'],
    ['JSON.stringify', JSON.stringify({ password }), '{"password":"[redacted]"}'],
    ['inspect', inspect({ password }), '{ password: [redacted] }'],
    ['inspect with hidden properties', inspect(password, { showHidden: true, depth: Infinity }), '[redacted]'],
    ['inspect without custom printing', inspect(password, { customInspect: false }), 'Password {}'],
    ['format %s', format('%s', password), '[redacted]'],
    ['a copy', JSON.stringify(structuredClone({ ...password })), '{}'],
  ])('%s', (_, printed, expected) => {
    expect(printed).toBe(expected)
  })
})

test('reveal gives the password', () => {
  expect(password.reveal()).toBe(SECRET)
})

test.each([
  ['the same text', new Password(SECRET), true],
  ['another text', new Password('other'), false],
  ['no password', undefined, false],
])('equals %s: %#', (_, other, expected) => {
  expect(password.equals(other)).toBe(expected)
})
