/** What libpq's `PQconninfoParse` says of strings that clients read differently: the same is read here, or nothing. */
import { describe, expect, test } from 'vitest'
import { read, refusalOf } from '../../support/connection-string.ts'

describe('is read as libpq reads it', () => {
  test.each<[string, object]>([
    [
      'postgresql://h.example/d?application_name=me@home',
      { host: 'h.example', dbname: 'd', application_name: 'me@home' },
    ],
    ['postgresql://app:p?w@h.example/d', { user: 'app', password: 'p?w', host: 'h.example', dbname: 'd' }],
    ['postgresql://app:a+b%20c@h.example/d', { user: 'app', password: 'a+b c', host: 'h.example', dbname: 'd' }],
    ['postgresql://%2Ftmp%2Fpg/d', { host: '/tmp/pg', dbname: 'd' }],
    ['postgresql://app@/d?application_name=x', { user: 'app', dbname: 'd', application_name: 'x' }],
    ['host=h user=app password=pw\u00a0', { host: 'h', user: 'app', password: 'pw\u00a0' }],
    ['host=h password=\u2003p\u00a0w user=app', { host: 'h', user: 'app', password: '\u2003p\u00a0w' }],
    ['password=p\ufeff', { password: 'p\ufeff' }],
    ["password='p w\u00a0' ", { password: 'p w\u00a0' }],
    ['host=h\vuser=app\fpassword=pw\r\n', { host: 'h', user: 'app', password: 'pw' }],
    ['password = p\\ w\\\\ user\t=\tapp', { password: 'p w\\', user: 'app' }],
  ])('%j', (text, fields) => {
    expect(read(text)).toEqual(fields)
  })
})

describe('is refused: libpq reads something else', () => {
  test.each<[string, RegExp]>([
    ['postgresql://1.2.3.4:1234?user=app@real.example/d', /two different hosts/],
    ['postgresql://h.example?application_name=me@home.example', /two different hosts/],
    ['postgresql://h.example?a@b.example', /two different hosts/],
    ['postgresql://app:pw@%2Fapplication_name=me@h.example', /two different hosts/],
    ['postgresql://app@%2Ftmp@h.example/d', /two different hosts/],
    ['postgresql://%2Ftmp://p:pw@h.example:1234/d', /two different hosts/],
    ['postgresql://h.example/d?user=app&user=', /user is given twice/],
    ['postgresql://app@h.example/d?user=', /user is given twice/],
    ['host=h user=app user=', /user is given twice/],
  ])('%j', (text, message) => {
    expect(refusalOf(() => read(text)).message).toMatch(message)
  })
})

test('a Unicode blank around a URL is no part of it, since a URL has none', () => {
  expect(read('\ufeff\u00a0postgresql://h.example/d\u00a0')).toEqual({ host: 'h.example', dbname: 'd' })
})
