import { describe, expect, test } from 'vitest'
import { routeCluster } from '../../../local/cloud/cluster-routing.ts'
import { type Refusal, refusalError } from '../../../local/cloud/refusals.ts'

const CLUSTER = 'cozy-otter-4821'
const HOST = `${CLUSTER}.7tt.aws-ap-southeast-1.cockroachlabs.cloud`

interface Given {
  readonly database?: string
  readonly options?: string
  readonly servername?: string
}

function route({ database, options, servername }: Given) {
  const parameters = new Map(Object.entries({ user: 'app', ...(database === undefined ? {} : { database }) }))
  if (options !== undefined) parameters.set('options', options)
  const result = routeCluster({ version: 196608, parameters }, servername)
  if ('reason' in result) return result
  const { cluster, startup } = result
  return { cluster, database: startup.parameters.get('database'), options: startup.parameters.get('options') }
}

describe('a cluster is found by', () => {
  const rows: [string, Given, { cluster?: string; database?: string; options?: string }][] = [
    ['the database', { database: `${CLUSTER}.bank` }, { database: 'bank' }],
    ['--cluster=', { database: 'bank', options: `--cluster=${CLUSTER}` }, { database: 'bank' }],
    ['-ccluster=', { database: 'bank', options: `-ccluster=${CLUSTER}` }, { database: 'bank' }],
    ['-c cluster=', { database: 'bank', options: `-c cluster=${CLUSTER}` }, { database: 'bank' }],
    ['a flag among others, which stay', { options: `-c a=1 --cluster=${CLUSTER} --b=2` }, { options: '-c a=1  --b=2' }],
    ['the server name', { database: 'bank', servername: HOST }, { database: 'bank' }],
    [
      'database and options that agree',
      { database: `${CLUSTER}.bank`, options: `--cluster=${CLUSTER}` },
      { database: 'bank' },
    ],
    [
      'the database, whatever the server name',
      { database: `${CLUSTER}.bank`, servername: 'other-one-77.x' },
      { database: 'bank' },
    ],
    ['the server name, which changes no options', { options: '-c a=1', servername: HOST }, { options: '-c a=1' }],
    ['an id with leading zeros', { database: 'cozy-otter-004821.bank' }, { database: 'bank' }],
    [
      'the largest id',
      { database: 'cozy-otter-18446744073709551615.b' },
      { cluster: 'cozy-otter-18446744073709551615', database: 'b' },
    ],
  ]
  test.each(rows)('%s', (_, given, expected) => {
    expect(route(given)).toEqual({ cluster: CLUSTER, database: undefined, options: undefined, ...expected })
  })
})

describe('routing refuses', () => {
  const invalid = 'invalid cluster identifier'
  const rows: [string, Given, string, RegExp | undefined][] = [
    ['no identifier', { database: 'bank' }, 'missing cluster identifier', /options=--cluster=/],
    ['--cluster with a blank', { options: `--cluster ${CLUSTER}` }, 'missing cluster identifier', /SNI/],
    ['a server name without a dot', { servername: CLUSTER }, 'missing cluster identifier', /SNI/],
    ['a server name that does not parse', { servername: 'localhost.localdomain' }, 'missing cluster identifier', /SNI/],
    ['an empty database part', { database: `${CLUSTER}.` }, 'invalid database param', undefined],
    ['an empty identifier part', { database: '.bank' }, 'invalid database param', undefined],
    ['three database parts', { database: 'a.b.c' }, 'invalid database param', undefined],
    [
      'two flags that agree',
      { options: `--cluster=${CLUSTER} -c cluster=${CLUSTER}` },
      'multiple cluster flags provided',
      undefined,
    ],
    ['an empty flag', { options: '--cluster=' }, 'invalid cluster flag', undefined],
    [
      'database and options that differ',
      { database: `${CLUSTER}.bank`, options: '--cluster=other-one-77' },
      'multiple different cluster identifiers provided',
      /'cozy-otter-4821' or 'other-one-77'/,
    ],
    ['no tenant id', { database: 'otter.bank' }, `${invalid} 'otter'`, /tenant ID at the end is missing/],
    [
      'an empty tenant id',
      { database: 'cozy-otter-.bank' },
      `${invalid} 'cozy-otter-'`,
      /tenant ID at the end is missing/,
    ],
    ['a short name', { database: 'otter-4821.bank' }, `${invalid} 'otter-4821'`, /'otter' a valid cluster name/],
    ['an upper-case name', { database: 'Cozy-Otter-4821.bank' }, `${invalid} 'Cozy-Otter-4821'`, /valid cluster name/],
    [
      'a tenant id of letters',
      { database: 'cozy-otter-4821a.bank' },
      `${invalid} 'cozy-otter-4821a'`,
      /'4821a' a valid tenant ID/,
    ],
    ['tenant id 0', { database: 'cozy-otter-0.bank' }, `${invalid} 'cozy-otter-0'`, /Tenant ID 0 is invalid/],
    ['tenant id 1', { database: 'cozy-otter-1.bank' }, `${invalid} 'cozy-otter-1'`, /Tenant ID 1 is invalid/],
    [
      'a tenant id past 64 bits',
      { database: 'cozy-otter-18446744073709551616.b' },
      `${invalid} 'cozy-otter-18446744073709551616'`,
      /valid tenant ID/,
    ],
  ]
  test.each(rows)('%s', (_, given, message, hint) => {
    const refusal = route(given)
    if (!('reason' in refusal)) throw new Error(`routed to ${refusal.cluster}`)
    const error = refusalError(refusal)
    expect(error).toMatchObject({ sqlstate: '08C00', message: `codeParamsRoutingFailed: ${message}` })
    if (hint === undefined) expect(error.hint).toBeUndefined()
    else expect(error.hint).toMatch(hint)
  })
})

describe('a refusal is worded', () => {
  const rows: [Refusal, string, string, string][] = [
    [
      { reason: 'missing cluster identifier' },
      '08004',
      'codeParamsRoutingFailed: missing cluster identifier',
      'codeParamsRoutingFailed: missing cluster name in connection string',
    ],
    [
      { reason: 'throttled' },
      '08004',
      'codeProxyRefusedConnection: too many failed authentication attempts',
      'codeProxyRefusedConnection: connection attempt throttled',
    ],
    [{ reason: 'server requires encryption' }, '08004', 'server requires encryption', 'server requires encryption'],
    [{ reason: 'request unit limit' }, '53300', 'cluster connections are limited', 'cluster connections are limited'],
  ]
  test.each(rows)('in two ways: $reason', (refusal, olderSqlstate, message, olderMessage) => {
    expect(refusalError(refusal).message).toBe(message)
    expect(refusalError(refusal, 'older')).toMatchObject({ sqlstate: olderSqlstate, message: olderMessage })
  })
})
