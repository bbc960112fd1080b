import { describe, expect, test } from 'vitest'
import { oneOf, type Reader, readFlag, wholeNumber } from '../../../src/base/readers.ts'
import type { Origin } from '../../../src/base/refusal.ts'

const PLACE: Origin = { code: 'ERR_CONFIG', name: 'COUNT' }

function faultOf(read: Reader<unknown>, text: string): string {
  try {
    read(text, PLACE)
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_CONFIG', safeToRetry: true, hint: 'a hint' })
    return String(error).replace('ConnectionError: ', '')
  }
  throw new Error('was accepted')
}

describe('wholeNumber', () => {
  const read = wholeNumber(1, 9, 'a hint')

  test.each([
    ['1', 1],
    [' 9\n', 9],
    ['007', 7],
  ])('%j is %i', (text, value) => {
    expect(read(text, PLACE)).toBe(value)
  })

  test.each([
    ['0', 'COUNT is 0; expected a whole number from 1 to 9'],
    ['-1.25', 'COUNT is -1.25; expected a whole number from 1 to 9'],
    ['NaN', 'COUNT is NaN; expected a whole number from 1 to 9'],
    ['1234567', 'COUNT is not a number (7 characters); expected a whole number from 1 to 9'],
    ['0x1', 'COUNT is not a number (3 characters); expected a whole number from 1 to 9'],
    [' ', 'COUNT is not a number (1 characters); expected a whole number from 1 to 9'],
  ])('%j is refused', (text, message) => {
    expect(faultOf(read, text)).toBe(message)
  })
})

describe('oneOf', () => {
  const read = oneOf(['database', 'sni'], 'a hint')

  test('a word is itself', () => {
    expect(read('sni', PLACE)).toBe('sni')
  })

  test.each([
    ['databse', 'COUNT is "databse"; did you mean "database"?'],
    ['SNI', 'COUNT is "SNI"; did you mean "sni"?'],
    ['hunter', 'COUNT is an unknown word of 6 characters; expected database, sni'],
    ['sni3cret', 'COUNT is an unknown word of 8 characters; expected database, sni'],
    ['snippetsofasecret', 'COUNT is an unknown word of 17 characters; expected database, sni'],
  ])('%j is refused', (text, message) => {
    expect(faultOf(read, text)).toBe(message)
  })
})

test.each([
  ['true', true],
  ['TRUE', true],
  ['1', true],
  ['False', false],
  ['0', false],
])('readFlag: %s is %s', (text, value) => {
  expect(readFlag(text, PLACE)).toBe(value)
})
