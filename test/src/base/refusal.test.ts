import { expect, test } from 'vitest'
import { innerOrigin, isName, refusal, shown, shownName, valueRefusal } from '../../../src/base/refusal.ts'

const SECRET = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' } as const

test('a refusal names its origin, and has its code', () => {
  expect(refusal(SECRET, 'is empty', 'Fill it.')).toMatchObject({
    ...{ code: 'ERR_SECRET_INVALID', message: 'secret "app/db": is empty', hint: 'Fill it.', safeToRetry: true },
  })
})

test('a refusal of one value names its place', () => {
  expect(valueRefusal(innerOrigin('port', SECRET), 'is 0')).toMatchObject({
    ...{ code: 'ERR_SECRET_INVALID', message: 'secret "app/db": port is 0', hint: undefined, safeToRetry: true },
  })
})

test('a text is shown when it has the shape, and measured otherwise', () => {
  expect([shown('123', /^\d+$/), shown('12 3', /^\d+$/)]).toEqual(['"123"', '(4 characters)'])
})

test.each([
  ['DATABASE_URL', true],
  ['connection-string', true],
  ['a.b', true],
  ['a'.repeat(40), true],
  ['a'.repeat(41), false],
  ['__proto__', true],
  ['db1.pg13', true],
  ['Tr0ub4dor', false],
  ['AKIAIOSFODNN7EXAMPLE', false],
  ['Summer2026', false],
  ['p@ssw0rd', false],
  ['3com', false],
  ['a b', false],
  ['', false],
])('%j as a name: %s', (name, expected) => {
  expect(isName(name)).toBe(expected)
  expect(shownName(name)).toBe(expected ? `"${name}"` : `(${name.length} characters)`)
})
