import { describe, expect, test } from 'vitest'
import { CLOUD_HOST, read, refusalOf, SECRET, warningsOf } from '../../support/connection-string.ts'

describe('parameters', () => {
  test('unknown ones are named in one warning', () => {
    expect(warningsOf('postgresql://h/d?schema=public&pgbouncer=true&sslmode=require&keepalives=1')).toEqual([
      'DATABASE_URL: ignored parameters: schema, pgbouncer, keepalives',
    ])
  })

  test.each([
    ['sslmode=no-verify', /accept any server/],
    ['sslmode=verify-ful', /"verify-ful"; did you mean "verify-full"/],
    [`sslmode=${SECRET}`, /unknown word of 10 characters/],
    ['ssl=false', /parameter ssl /],
    ['ssl=no-verify', /parameter ssl /],
    ['sslaccept=accept_invalid_certs', /parameter sslaccept/],
    ['rejectUnauthorized=false', /parameter rejectUnauthorized/],
    ['sslfactory=org.postgresql.ssl.NonValidatingFactory', /parameter sslfactory/],
    ['ssl_min_protocol_version=TLSv1', /ssl_min_protocol_version/],
    ['sslcrl=/tmp/x', /sslcrl/],
    ['host=evil.com', /host stands among/],
    ['HOST=evil.com', /host stands among/],
    ['hostaddr=10.0.0.1', /hostaddr/],
    ['port=1', /port stands among/],
    ['dbname=x', /dbname stands among/],
    ['service=x', /service/],
    ['sslmode=require&sslmode=disable', /sslmode is given twice/],
    ['user=x', /user is given twice/],
    ['connect_timeout=5s', /connect_timeout/],
    ['connect_timeout=-1', /connect_timeout/],
    ['sslmode', /is not name=value/],
    ['=x', /is not name=value/],
    ['sslmode=require#x', /raw #/],
    ['sslnegotiation=direct', /sslnegotiation=direct/],
    ['sslnegotiation=x', /sslnegotiation/],
  ])('refuses ?%s', (query, message) => {
    const refusal = refusalOf(() => read(`postgresql://app:${SECRET}@${CLOUD_HOST}/defaultdb?${query}`))
    expect(refusal).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('a plus in a JDBC password is refused: it has two readings', () => {
    expect(refusalOf(() => read('jdbc:postgresql://h/d?user=app&password=a+b')).message).toMatch(/JDBC/)
  })
})
