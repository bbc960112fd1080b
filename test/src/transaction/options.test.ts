import { describe, expect, test } from 'vitest'
import { beginStatement, type TransactionOptions } from '../../../src/transaction/options.ts'

describe('BEGIN', () => {
  test.each<[TransactionOptions, string]>([
    [{}, 'BEGIN'],
    [{ maxAttempts: 1 }, 'BEGIN'],
    [{ readOnly: false }, 'BEGIN'],
    [{ readOnly: true }, 'BEGIN READ ONLY'],
    [{ isolationLevel: 'serializable' }, 'BEGIN ISOLATION LEVEL SERIALIZABLE'],
    [{ isolationLevel: 'repeatable read', readOnly: true }, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'],
    [{ isolationLevel: 'read committed' }, 'BEGIN ISOLATION LEVEL READ COMMITTED'],
  ])('of %j', (options, expected) => {
    expect(beginStatement(options)).toBe(expected)
  })
})

describe('unusable options', () => {
  test.each<[object, string]>([
    [{ maxAttemps: 3 }, 'unknown option "maxAttemps"; did you mean "maxAttempts"?'],
    [{ readonly: true }, 'unknown option "readonly"; did you mean "readOnly"?'],
    [{ 'postgresql://app:Sup3rS3cret@h/d': 1 }, 'unknown option (32 characters)'],
    [Object(() => {}), 'the options are a function; expected an object'],
    [{ maxAttempts: 0 }, 'maxAttempts is 0; expected a whole number from 1'],
    [{ maxAttempts: 1.5 }, 'maxAttempts is 1.5; expected a whole number from 1'],
    [{ maxAttempts: '3' }, 'maxAttempts is 3; expected a whole number from 1'],
    [{ readOnly: 'yes' }, 'readOnly is a string; expected true or false'],
    [
      { isolationLevel: 'snapshot' },
      'isolationLevel is "snapshot"; expected serializable, repeatable read, read committed',
    ],
    [
      { isolationLevel: 'serializable; DROP TABLE t' },
      'isolationLevel is "serializable; DROP TABLE t"; expected serializable, repeatable read, read committed',
    ],
  ])('%j', (options, message) => {
    expect(() => beginStatement(options)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', message, safeToRetry: true }),
    )
  })
})
