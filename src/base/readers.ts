/** Reads single values, whatever their origin: a secret, an option, an environment variable. */
import { describeWord, misspeltWord } from './nearest.ts'
import { type Origin, valueRefusal } from './refusal.ts'

/**
 * Reads one value; messages name its origin.
 *
 * @throws ConnectionError with the code of the origin; it shows the value only when it has the expected shape.
 */
export type Reader<Value> = (text: string, origin: Origin) => Value

/** Numbers that may be shown: wrong by range, sign or fraction. A longer one may be a secret. */
const NUMBER = /^(?:-?\d{1,6}(?:\.\d{1,3})?|NaN)$/

/** Reads decimal digits, with blanks around them. */
export function wholeNumber(min: number, max: number, hint?: string): Reader<number> {
  return (text, origin) => {
    const digits = text.trim()
    const value = /^\d+$/.test(digits) ? Number(digits) : Number.NaN
    if (value >= min && value <= max) return value
    const found = NUMBER.test(digits) ? digits : `not a number (${text.length} characters)`
    throw valueRefusal(origin, `is ${found}; expected a whole number from ${min} to ${max}`, hint)
  }
}

/** Reads one of a few words. */
export function oneOf<const Word extends string>(words: readonly Word[], hint?: string): Reader<Word> {
  return (text, origin) => {
    const known = words.find((word) => word === text)
    if (known !== undefined) return known
    const expected = misspeltWord(text, words) === undefined ? `; expected ${words.join(', ')}` : ''
    throw valueRefusal(origin, `is ${describeWord(text, words)}${expected}`, hint)
  }
}

const readFlagWord = oneOf(['true', 'false', '1', '0'])

/** Reads a boolean; upper and lower case are alike. */
export function readFlag(text: string, origin: Origin): boolean {
  return ['true', '1'].includes(readFlagWord(text.toLowerCase(), origin))
}
