import { describe, expect, test } from 'vitest'
import { findParameter } from '../../../src/connection-string/parameters.ts'
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
    ['ssl_min_protocol_version=TLSv1.3', /ssl_min_protocol_version/],
    ['ssl_max_protocol_version=TLSv1.1', /ssl_max_protocol_version/],
    ['min_protocol_version=3.2', /min_protocol_version/],
    ['channel_binding=required', /channel_binding is /],
    ['channelBinding=always', /channel_binding is /],
    ['require_auth=scram', /require_auth is /],
    ['require_auth=md5,!password', /require_auth is /],
    ['require_auth=!md5,password', /require_auth is /],
    ['sslcertmode=require', /sslcertmode/],
    ['sslsni=0', /sslsni/],
    ['requirepeer=postgres', /requirepeer/],
    ['gssencmode=require', /gssencmode/],
    ['sslcompression=1', /sslcompression/],
    ['sslcrldir=/tmp', /sslcrldir/],
    ['sslcrl=/tmp/x', /sslcrl/],
    ['host=evil.com', /host is among/],
    ['HOST=evil.com', /host is among/],
    ['hostaddr=10.0.0.1', /hostaddr/],
    ['port=1', /port is among/],
    ['dbname=x', /dbname is among/],
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

/** PQconndefaults() of libpq 18.4, by what becomes of each keyword. */
const LIBPQ = {
  field:
    'user password channel_binding connect_timeout dbname host port options application_name sslmode sslrootcert require_auth',
  checked:
    'sslnegotiation sslcompression sslcertmode sslsni min_protocol_version ssl_min_protocol_version ssl_max_protocol_version gssencmode client_encoding replication target_session_attrs',
  refused: 'service servicefile hostaddr sslcrl sslcrldir requirepeer',
  ignored:
    'passfile fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout sslpassword max_protocol_version krbsrvname gsslib gssdelegation load_balance_hosts scram_client_key scram_server_key oauth_issuer oauth_client_id oauth_client_secret oauth_scope sslkeylogfile',
} as const

describe('keywords of libpq', () => {
  const rows = Object.entries(LIBPQ).flatMap(([use, names]) => names.split(' ').map((name) => [name, use] as const))

  test.each(rows)('%s is %s', (name, use) => {
    expect(findParameter(name)).toMatchObject({ use })
  })

  test.each(['channel_binding=require', 'channelBinding=require', 'require_auth=scram-sha-256', 'requireAuth=!md5'])(
    '%s is kept, for us and for those who are given the string',
    (parameter) => {
      const [, value] = parameter.split('=')
      const fields = read(`postgresql://app:${SECRET}@${CLOUD_HOST}/defaultdb?${parameter}`)
      expect(Object.values(fields)).toContain(value)
    },
  )
})
