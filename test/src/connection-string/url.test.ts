import { describe, expect, test } from 'vitest'
import { read, refusalOf, SECRET, warningsOf } from '../../support/connection-string.ts'

describe('passwords in URLs', () => {
  test.each([
    ['p%40ss%2Fw%23rd', 'p@ss/w#rd'],
    ['p%2540', 'p%40'],
    ['a+b', 'a+b'],
    ['a%20b', 'a b'],
    ['a b', 'a b'],
    ['a:b', 'a:b'],
    ['p@ss', 'p@ss'],
    ['p/ss', 'p/ss'],
    ['p#ss', 'p#ss'],
    ['p?ss', 'p?ss'],
    ['p@', 'p@'],
    ['100%', '100%'],
    ['%zz', '%zz'],
    ['<x&y>', '<x&y>'],
    ['$ecret', '$ecret'],
    ['%F0%9F%AA%B3', '🪳'],
    ['p%0Aq', 'p\nq'],
  ])('%s is read as %s', (written, meant) => {
    expect(read(`postgresql://app:${written}@db.example.com/orders?sslmode=verify-full`)).toStrictEqual({
      user: 'app',
      password: meant,
      host: 'db.example.com',
      dbname: 'orders',
      sslmode: 'verify-full',
    })
  })

  test.each([
    ['a raw slash before another @', `app:p@evil.com/${SECRET}`, /two different hosts/],
    ['a raw slash, and two more @ behind it', `app:x/p@evil!/${SECRET}`, /two different hosts/],
    ['a raw ? in the user', `a?p:${SECRET}`, /two different hosts/],
    ['digits before a raw slash', `app:12/${SECRET}`, /two different hosts/],
    ['digits before a raw #', `app:1#${SECRET}`, /two different hosts/],
    ['a raw ? before another @', `app:p@evil?${SECRET}`, /two different hosts/],
    ['encoded and bare %', `app:%40%zz${SECRET}`, /mixes/],
    ['bytes that are not UTF-8', `app:%ff${SECRET}`, /UTF-8/],
    ['a line break', `app:${SECRET}\nx`, /line break/],
    ['NUL', `app:${SECRET}%00`, /NUL/],
    ['a placeholder of the console', 'app:<ENTER-SQL-USER-PASSWORD>', /password is still a placeholder/],
    ['a placeholder in a variable', ['app:$', '{DB_PASSWORD}'].join(''), /password is still a placeholder/],
    ['a shell variable', 'app:$PASSWORD', /password is still a placeholder/],
    [
      'CloudFormation left unresolved',
      'app:{{resolve:secretsmanager:db:SecretString:password}}',
      /two different hosts|placeholder/,
    ],
    ['an API key', `app:CCDB1_${SECRET}`, /API key/],
  ])('refuses %s', (_name, login, message) => {
    expect(refusalOf(() => read(`postgresql://${login}@db.example.com/orders`))).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('raw characters are accepted with a warning, encoded ones without', () => {
    expect(warningsOf('postgresql://app:p/w@h/d')).toEqual([
      'DATABASE_URL: password has special characters that other clients read differently; percent-encode them',
    ])
    expect(warningsOf('postgresql://me@home:pw@h/d')).toEqual([
      'DATABASE_URL: user has special characters that other clients read differently; percent-encode them',
    ])
    expect(warningsOf('postgresql://me%40home:p%2Fw@h/d')).toEqual([])
  })

  test('an @ in the value of a known parameter does not move the host', () => {
    expect(read('postgresql://app:pw@h/d?application_name=me@home').host).toBe('h')
    expect(read('postgresql://h/d?application_name=me@home')).toMatchObject({ host: 'h', application_name: 'me@home' })
  })
})
