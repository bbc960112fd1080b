/** Words of others are cut, kept in one line, and hold nothing that we told in confidence. */
import { inspect } from 'node:util'
import { DatabaseError } from 'pg'
import { describe, expect, test } from 'vitest'
import { foreignError, foreignText } from '../../../src/base/foreign-text.ts'
import { Password } from '../../../src/base/password.ts'

const SECRET = 'kx"7/+ß\\%q&v=Zt'
const bytes = Buffer.from(SECRET)
const secrets = [undefined, new Password(SECRET)]
const everyByte = bytes.toString('hex').replace(/../g, '%$&')

describe('a short text of one line stays', () => {
  test.each(['password authentication failed for user "app"', 'пользователь не найден 🗝️', 'x'.repeat(1000), ''])(
    '%j',
    (text) => {
      expect(foreignText(text, secrets)).toBe(text)
    },
  )
})

describe('what nobody can read goes', () => {
  test.each([
    ['a line break ends the text', 'first\nsecond', 'first'],
    ['so does a carriage return', 'first\rsecond', 'first'],
    ['blank lines in front do not count', '\r\n\n first\nsecond', 'first'],
    ['an escape sequence', 'a\u001b[2Jb', 'a [2Jb'],
    ['NUL and DEL', 'a\0\0b\u007fc', 'a b c'],
    ['controls of ISO 8859', 'a\u009bb', 'a b'],
    ['a change of direction', 'a\u202eb', 'a b'],
    ['separators of lines', 'a\u2028b\u2029c', 'a b c'],
    ['half a surrogate pair', 'a\ud83db', 'a b'],
  ])('%s', (_, text, expected) => {
    expect(foreignText(text)).toBe(expected)
  })
})

describe('a long text is cut, and says how long it was', () => {
  test.each([1001, 1017, 100_000, 8_000_000])('%i characters', (length) => {
    const shown = foreignText('x'.repeat(length))
    expect(shown).toMatch(new RegExp(`^x{900,}… \\(${length} characters\\)$`))
    expect(shown.length).toBeLessThanOrEqual(1000)
  })

  test('a second time nothing happens to it', () => {
    const shown = foreignText('é'.repeat(5000))
    expect(foreignText(shown)).toBe(shown)
  })

  test('not in the middle of a character', () => {
    for (const before of ['', 'a']) expect(foreignText(before + '😀'.repeat(4000))).not.toMatch(/\p{Surrogate}/u)
  })
})

describe('a secret is not shown', () => {
  test.each([
    ['as it is', SECRET],
    ['in JSON', JSON.stringify(SECRET).slice(1, -1)],
    ['percent-encoded', encodeURIComponent(SECRET)],
    ['percent-encoded in lower case', encodeURIComponent(SECRET).replace(/%../g, (byte) => byte.toLowerCase())],
    ['with every byte percent-encoded', everyByte],
    ['with every byte percent-encoded in upper case', everyByte.toUpperCase()],
    ['in hexadecimal', bytes.toString('hex')],
    ['in hexadecimal upper case', bytes.toString('hex').toUpperCase()],
  ])('%s', (_, quoted) => {
    expect(foreignText(`"${quoted}" is wrong, ${quoted}!`, secrets)).toBe('"[redacted]" is wrong, [redacted]!')
  })

  test.each(['', 'u:', 'ab:', 'app:', 'user:'])('in base64 behind %j', (before) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const quoted = Buffer.from(`${before}${SECRET}`).toString(encoding)
      const shown = foreignText(quoted, secrets)
      expect(shown).toMatch(/^.{0,7}\[redacted\].{0,3}$/)
    }
  })

  test('by a quoted part of 16 characters', () => {
    const token = Buffer.from(Array.from({ length: 600 }, (_, index) => (index * 37) % 251)).toString('base64')
    const shown = foreignText(`got ${token.slice(100, 116)} and ${token.slice(300, 500)}`, [new Password(token)])
    expect(shown).toBe('got [redacted] and [redacted]')
  })

  test('where the text is cut, wherever that is', () => {
    for (let before = 940; before <= 1016; before += 1) {
      const shown = foreignText('.'.repeat(before) + SECRET.repeat(3), secrets)
      expect(shown).not.toContain(SECRET.slice(0, 4))
    }
  })

  test('when a shorter one is its beginning', () => {
    expect(foreignText('it is hunter22!', [new Password('hunter'), new Password('hunter22')])).toBe('it is [redacted]!')
  })

  test('when it overlaps itself', () => {
    expect(foreignText('xababababax', [new Password('ababa')])).toBe('x[redacted]x')
  })

  test('when it holds half a surrogate pair', () => {
    expect(foreignText('a pass\ud800word', [new Password('pass\ud800word')])).toBe('a [redacted]')
  })
})

test('of three characters or fewer a text is not cleaned: it would say nothing any more', () => {
  expect(foreignText('abc abc', [new Password('abc')])).toBe('abc abc')
})

describe('a copy of an error', () => {
  test("has the class, and pg's fields, cut and cleaned", () => {
    const error = Object.assign(new DatabaseError(`bad ${SECRET}`, 8_000_000, 'error'), {
      ...{ code: '28P01', severity: 'FATAL', detail: SECRET.repeat(500_000), hint: 'a\u001bb' },
      ...{ where: `at ${SECRET}`, internalQuery: encodeURIComponent(SECRET), position: '7' },
    })
    const copy = foreignError(error, secrets)
    expect(copy).toBeInstanceOf(DatabaseError)
    expect(copy).toMatchObject({
      ...{ message: 'bad [redacted]', code: '28P01', severity: 'FATAL', name: 'error', length: 8_000_000 },
      ...{ hint: 'a b', where: 'at [redacted]', internalQuery: '[redacted]', position: '7' },
    })
    const printed = inspect(copy, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
    expect(printed).not.toContain(SECRET.slice(0, 8))
    expect(printed.length).toBeLessThan(10_000)
  })

  test("has the fields of Node's errors, and not what hangs on them", () => {
    const cause = new Error(SECRET)
    const error = Object.assign(new Error('connect ECONNREFUSED', { cause }), {
      ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '10.0.0.1', port: 26257 },
      ...{ input: SECRET, base: SECRET, cert: { raw: SECRET }, $response: { headers: SECRET } },
    })
    Object.defineProperty(error, '$responseBodyText', { value: SECRET })
    const copy = foreignError(error)
    expect(Object.entries(copy)).toEqual([
      ['code', 'ECONNREFUSED'],
      ['errno', -111],
      ['syscall', 'connect'],
      ['address', '10.0.0.1'],
      ['port', 26257],
    ])
    expect(inspect(copy, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(SECRET.slice(0, 8))
  })

  test('of a URL that cannot be read lacks the URL', () => {
    const text = `postgresql://app:${SECRET}@h:port`
    try {
      new URL(text)
      expect.unreachable()
    } catch (error) {
      expect(inspect(error)).toContain('postgresql:')
      expect(inspect(foreignError(error), { showHidden: true })).not.toContain('postgresql:')
    }
  })

  test('of something that is no error has it as text', () => {
    expect(foreignError('odd')).toMatchObject({ message: 'odd' })
  })

  test('is not misled by names of prototypes', () => {
    const error = Object.assign(new Error('x'), JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}'))
    expect(foreignError(error)).toBeInstanceOf(Error)
  })
})
