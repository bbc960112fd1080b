import { describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import type { ConnectionFields } from '../../../src/connection-string/fields.ts'
import { buildConnectionString } from '../../../src/connection-string/writer.ts'
import { CLOUD_HOST } from '../../support/connection-string.ts'

describe('buildConnectionString', () => {
  const fields = {
    host: CLOUD_HOST,
    port: 26257,
    user: 'app',
    password: new Password('p@ss/w#rd'),
    dbname: 'cozy-otter-4821.defaultdb',
  }
  test.each<[string, ConnectionFields & { host: string; user: string; dbname: string }, string]>([
    [
      "the article's form",
      { ...fields, sslmode: 'verify-full', sslrootcert: '/opt/certs/root.crt' },
      `postgresql://app:p%40ss%2Fw%23rd@${CLOUD_HOST}:26257/cozy-otter-4821.defaultdb?sslmode=verify-full&sslrootcert=/opt/certs/root.crt`,
    ],
    [
      'all parameters, in order',
      {
        connect_timeout: 5,
        application_name: 'a b&c',
        options: '-c x=1',
        sslrootcert: '/r',
        sslmode: 'verify-full',
        host: 'h',
        user: 'u',
        dbname: 'd',
      },
      'postgresql://u@h/d?sslmode=verify-full&sslrootcert=/r&options=-c%20x%3D1&application_name=a%20b%26c&connect_timeout=5',
    ],
    ['a Unix socket', { host: '/tmp/pg', port: 5433, user: 'u', dbname: 'd' }, 'postgresql://u@%2Ftmp%2Fpg:5433/d'],
    ['an IPv6 address', { host: '::1', user: 'u', dbname: 'd' }, 'postgresql://u@[::1]/d'],
    [
      'an IPv6 address with zone',
      { host: 'fe80::1%eth0', user: 'u', dbname: 'd' },
      'postgresql://u@[fe80::1%25eth0]/d',
    ],
    ['quotes', { host: 'h', user: "o'hara", dbname: 'a/b+c' }, 'postgresql://o%27hara@h/a/b+c'],
  ])('writes %s', (_name, given, expected) => {
    expect(buildConnectionString(given)).toBe(expected)
  })

  test.each(['a\0', 'a\ud800'])('refuses %j, which no form can have', (user) => {
    expect(() => buildConnectionString({ host: 'h', user, dbname: 'd' })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG' }),
    )
  })
})
