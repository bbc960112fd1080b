import { describe, expect, test } from 'vitest'
import { parseConnectionString } from '../../../src/connection-string/parse.ts'
import { CLOUD_HOST, read, refusalOf, SECRET, warningsOf } from '../../support/connection-string.ts'

describe('parameters', () => {
  test('unknown ones are named in one warning', () => {
    expect(warningsOf('postgresql://h/d?pool=9&pgbouncer=true&sslmode=require&keepalives=1')).toEqual([
      'DATABASE_URL: ignored parameters: pool, pgbouncer, keepalives',
    ])
  })

  test.each([
    ...['connection_limit=1', 'pool_timeout=5', 'pgbouncer=true', 'socket_timeout=5', 'statement_cache_size=0'],
    ...['prepareThreshold=0', 'reWriteBatchedInserts=true', 'tcpKeepAlive=true', 'loginTimeout=9', 'keepalives_idle=9'],
    ...['load_balance_hosts=random', 'tcp_user_timeout=9', 'gssdelegation=0', 'krbsrvname=x', 'query_timeout=9'],
  ])('%s changes no result, and is ignored with a warning', (query) => {
    const text = `postgresql://h/d?${query}`
    expect(read(text)).toEqual({ host: 'h', dbname: 'd' })
    expect(warningsOf(text)).toEqual([`DATABASE_URL: ignored parameters: ${query.split('=')[0]}`])
  })

  test.each([
    ...['client_encoding=UTF8', 'client_encoding=utf-8', 'client_encoding=auto', 'replication=off', 'replication=0'],
    ...['target_session_attrs=any', 'target_session_attrs=prefer-standby', 'targetServerType=preferSecondary'],
  ])('%s is what is done anyway', (query) => {
    expect(parseConnectionString(`postgresql://h/d?${query}`, { code: 'ERR_CONFIG', name: 'x' })).toEqual({
      ...{ fields: { host: 'h', dbname: 'd' }, warnings: [] },
    })
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
    ['user=', /user is given twice/],
    ['sslmode=require&sslmode=', /sslmode is given twice/],
    ['client_encoding=LATIN1', /client_encoding has a value that cannot be honoured/],
    ['replication=database', /replication has/],
    ['target_session_attrs=read-write', /target_session_attrs has/],
    ['target_session_attrs=standby', /target_session_attrs has/],
    ['targetServerType=primary', /targetServerType has/],
    ['requirepeer=postgres', /requirepeer is not supported/],
  ])('refuses ?%s', (query, message) => {
    const refusal = refusalOf(() => read(`postgresql://app:${SECRET}@${CLOUD_HOST}/defaultdb?${query}`))
    expect(refusal).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('sslnegotiation=direct is refused where another source may name a Cloud host', () => {
    expect(refusalOf(() => read('user=app sslnegotiation=direct')).message).toMatch(/sslnegotiation=direct/)
    expect(read('postgresql://h.example/d?sslnegotiation=direct')).toEqual({ host: 'h.example', dbname: 'd' })
  })

  test('a plus in a JDBC password is refused: it has two readings', () => {
    expect(refusalOf(() => read('jdbc:postgresql://h/d?user=app&password=a+b')).message).toMatch(/JDBC/)
  })
})
