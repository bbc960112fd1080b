import { describe, expect, test } from 'vitest'
import type { ClusterRouting } from '../../../src/routing/cluster-routing.ts'
import {
  clusterFromHost,
  defaultDbname,
  defaultPort,
  faultOfCluster,
  isAdvancedHost,
  isCloudHost,
  isFreeTierHost,
} from '../../../src/routing/host.ts'
import { type RoutingFields, routeToCluster } from '../../../src/routing/routing.ts'

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const FREE_TIER = 'free-tier4.aws-us-west-2.cockroachlabs.cloud'
const ADVANCED = 'orders-x7k.aws-eu-west-1.cockroachlabs.cloud'

describe('kinds of host', () => {
  test.each([
    [HOST, { cloud: true, cluster: 'cozy-otter-4821', freeTier: false, advanced: false }],
    [HOST.toUpperCase(), { cloud: true, cluster: 'cozy-otter-4821', freeTier: false, advanced: false }],
    [`${HOST}.`, { cloud: true, cluster: 'cozy-otter-4821', freeTier: false, advanced: false }],
    [
      'cozy-otter-4821.7tt.cockroachlabs.cloud',
      { cloud: true, cluster: 'cozy-otter-4821', freeTier: false, advanced: false },
    ],
    [FREE_TIER, { cloud: true, cluster: undefined, freeTier: true, advanced: false }],
    [
      'free-tier.gcp-us-central1.cockroachlabs.cloud',
      { cloud: true, cluster: undefined, freeTier: true, advanced: false },
    ],
    [ADVANCED, { cloud: true, cluster: undefined, freeTier: false, advanced: true }],
    [
      'orders-123.gcp-us-east1.cockroachlabs.cloud',
      { cloud: true, cluster: undefined, freeTier: false, advanced: true },
    ],
    [
      'cozy-otter-1.7tt.aws-ap-southeast-1.cockroachlabs.cloud',
      { cloud: true, cluster: undefined, freeTier: false, advanced: false },
    ],
    ['db.example.com', { cloud: false, cluster: undefined, freeTier: false, advanced: false }],
    ['cockroachlabs.cloud.example.com', { cloud: false, cluster: undefined, freeTier: false, advanced: false }],
    ['evilcockroachlabs.cloud', { cloud: false, cluster: undefined, freeTier: false, advanced: false }],
    ['127.0.0.1', { cloud: false, cluster: undefined, freeTier: false, advanced: false }],
    ['/var/run/postgresql', { cloud: false, cluster: undefined, freeTier: false, advanced: false }],
  ])('%s', (host, expected) => {
    expect({
      cloud: isCloudHost(host),
      cluster: clusterFromHost(host),
      freeTier: isFreeTierHost(host),
      advanced: isAdvancedHost(host),
    }).toEqual(expected)
  })

  test.each([
    ['blue-dog-5bct.gcp-us-east4.cockroachlabs.cloud', { cluster: undefined, advanced: true }],
    ['docstest-6qsh.aws-us-west-2.crdb.io', { cluster: undefined, advanced: true }],
    ['flooping-frogs-123.gcp-us-east1.crdb.io.', { cluster: undefined, advanced: true }],
    ['docstest-6QSH.azure-westus2.CRDB.io', { cluster: undefined, advanced: true }],
    ['blue-dog-5bct.cockroachlabs.cloud', { cluster: undefined, advanced: false }],
    ['internal-test.aws-us-east-1.crdb.io', { cluster: undefined, advanced: true }],
    ['internal-cozy-otter-4821.7tt.aws-us-east-1.cockroachlabs.cloud', { cluster: undefined, advanced: false }],
    ['private-cozy-otter-4821.7tt.gcp-us-east1.cockroachlabs.cloud', { cluster: undefined, advanced: false }],
    ['internals-team-4821.7tt.aws-us-east-1.cockroachlabs.cloud', { cluster: 'internals-team-4821', advanced: false }],
    ['cozy-otter-4821.aws-us-east-1.cockroachlabs.cloud', { cluster: undefined, advanced: false }],
    ['blue-dog-5bctx.gcp-us-east4.cockroachlabs.cloud', { cluster: undefined, advanced: false }],
    ['cozy-otter-4821.7tt.aws-us-east-1.crdb.io', { cluster: 'cozy-otter-4821', advanced: false }],
  ])('%s is of the Cloud, and its name alone says %j', (host, expected) => {
    expect({ cluster: clusterFromHost(host), advanced: isAdvancedHost(host) }).toEqual(expected)
    expect([isCloudHost(host), defaultPort(host), defaultDbname(host)]).toEqual([true, 26257, 'defaultdb'])
  })

  test.each(['evilcrdb.io', 'crdb.io', 'crdb.io.example.com', 'a.crdb.iot', 'a.crdbxio', 'acrdb.io'])(
    '%s is not of the Cloud',
    (host) => {
      expect([isCloudHost(host), clusterFromHost(host), isAdvancedHost(host)]).toEqual([false, undefined, false])
    },
  )

  test('defaults are 26257 and defaultdb for Cloud hosts, 5432 and none elsewhere', () => {
    expect([defaultPort(HOST), defaultDbname(HOST)]).toEqual([26257, 'defaultdb'])
    expect([defaultPort(ADVANCED), defaultDbname(ADVANCED)]).toEqual([26257, 'defaultdb'])
    expect([defaultPort('db.example.com'), defaultDbname('db.example.com')]).toEqual([5432, undefined])
    const cluster = 'cozy-otter-4821'
    expect([defaultPort('10.0.0.7', cluster), defaultDbname('10.0.0.7', cluster)]).toEqual([26257, 'defaultdb'])
  })
})

describe('cluster identifiers', () => {
  test.each([
    'cozy-otter-4821',
    'abcdef-2',
    'abcdef-0002',
    `${'a'.repeat(100)}-2`,
    'cozy-otter-18446744073709551615',
    'a-b--c-7',
  ])('%s is accepted', (identifier) => {
    expect(faultOfCluster(identifier)).toBeUndefined()
  })

  test.each([
    ['cozy', /no "-<tenant id>"/],
    ['', /no "-<tenant id>"/],
    ['otter-4821', /6 to 100/],
    ['-otter1-4821', /6 to 100/],
    ['otter1--4821', /6 to 100/],
    ['Cozy-Otter-4821', /6 to 100/],
    [`${'a'.repeat(101)}-2`, /6 to 100/],
    ['cozy_otter-4821', /6 to 100/],
    ['cozy-otter-', /decimal digits/],
    ['cozy-otter-48x1', /decimal digits/],
    ['cozy-otter-0', /out of range/],
    ['cozy-otter-1', /out of range/],
    ['cozy-otter-18446744073709551616', /out of range/],
  ])('%s is refused', (identifier, fault) => {
    expect(faultOfCluster(identifier)).toMatch(fault)
  })
})

describe('routeToCluster', () => {
  const cluster = 'cozy-otter-4821'
  test.each<[string, RoutingFields, ClusterRouting, object]>([
    [
      'bare name, database',
      { host: HOST, dbname: 'defaultdb' },
      'database',
      { dbname: `${cluster}.defaultdb`, cluster },
    ],
    [
      'bare name, options',
      { host: HOST, dbname: 'defaultdb' },
      'options',
      { dbname: 'defaultdb', options: `--cluster=${cluster}`, cluster },
    ],
    ['bare name, sni', { host: HOST, dbname: 'defaultdb' }, 'sni', { dbname: 'defaultdb', cluster }],
    [
      'prefixed name, database',
      { host: HOST, dbname: `${cluster}.app` },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    ['prefixed name, sni', { host: HOST, dbname: `${cluster}.app` }, 'sni', { dbname: 'app', cluster }],
    [
      'flag, database',
      { host: HOST, dbname: 'app', options: `--cluster=${cluster}` },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      '-ccluster flag',
      { host: HOST, dbname: 'app', options: `-ccluster=${cluster}` },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      '-c cluster flag',
      { host: HOST, dbname: 'app', options: `-c cluster=${cluster}` },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'flag beside others, options',
      { host: HOST, dbname: 'app', options: `-c statement_timeout=5s --cluster=${cluster}` },
      'options',
      { dbname: 'app', options: `--cluster=${cluster} -c statement_timeout=5s`, cluster },
    ],
    [
      'other options, database',
      { host: HOST, dbname: 'app', options: '-c statement_timeout=5s' },
      'database',
      { dbname: `${cluster}.app`, options: '-c statement_timeout=5s', cluster },
    ],
    [
      'everywhere the same',
      { host: HOST, dbname: `${cluster}.app`, options: `--cluster=${cluster}`, cluster },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'free tier with flag',
      { host: FREE_TIER, dbname: 'app', options: `--cluster=${cluster}` },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'free tier with cluster',
      { host: FREE_TIER, dbname: 'app', cluster },
      'options',
      { dbname: 'app', options: `--cluster=${cluster}`, cluster },
    ],
    [
      'IP address with cluster',
      { host: '10.0.0.7', dbname: 'app', cluster },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'private name with cluster',
      { host: 'db.internal', dbname: 'app', cluster },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'private name that begins with the identifier, sni',
      { host: `${cluster}.internal`, dbname: 'app', cluster },
      'sni',
      { dbname: 'app', cluster },
    ],
    ['plain server, dotted name', { host: 'db.example.com', dbname: 'my.db.x' }, 'database', { dbname: 'my.db.x' }],
    [
      'plain server, options',
      { host: 'db.example.com', dbname: 'x', options: '--cluster=a --cluster=b' },
      'options',
      { dbname: 'x', options: '--cluster=a --cluster=b' },
    ],
    [
      'private endpoint, whose identifier is not in its name',
      { host: `internal-${HOST}`, dbname: 'app' },
      'database',
      { dbname: 'app' },
    ],
    [
      'private endpoint with cluster',
      { host: `internal-${HOST}`, dbname: 'app', cluster },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    [
      'four digits may be a tenant id: cluster decides',
      { host: `${cluster}.aws-eu-west-1.cockroachlabs.cloud`, dbname: 'app', cluster },
      'database',
      { dbname: `${cluster}.app`, cluster },
    ],
    ['Advanced, dotted name', { host: ADVANCED, dbname: 'my.db' }, 'database', { dbname: 'my.db' }],
    ['Unix socket', { host: '/tmp', dbname: 'x' }, 'database', { dbname: 'x' }],
  ])('%s', (_name, fields, clusterRouting, expected) => {
    expect(routeToCluster(fields, clusterRouting)).toStrictEqual(expected)
  })

  test.each<[string, RoutingFields, ClusterRouting, RegExp]>([
    ['free tier, nothing names the cluster', { host: FREE_TIER, dbname: 'app' }, 'database', /nothing names yours/],
    [
      'dbname of another cluster',
      { host: HOST, dbname: 'busy-badger-7.app' },
      'database',
      /dbname "busy-badger-7", host "cozy-otter-4821"/,
    ],
    [
      'flag of another cluster',
      { host: HOST, dbname: 'app', options: '--cluster=busy-badger-7' },
      'database',
      /different clusters/,
    ],
    [
      'cluster of another cluster',
      { host: HOST, dbname: 'app', cluster: 'busy-badger-7' },
      'database',
      /cluster "busy-badger-7"/,
    ],
    [
      'leading zero is another identifier',
      { host: HOST, dbname: 'cozy-otter-04821.app' },
      'database',
      /different clusters/,
    ],
    [
      'two flags that agree',
      { host: HOST, dbname: 'app', options: `--cluster=${cluster} -c cluster=${cluster}` },
      'database',
      /2 times/,
    ],
    [
      'flag without value',
      { host: HOST, dbname: 'app', options: '--cluster=' },
      'database',
      /options names the cluster \(0 characters\)/,
    ],
    ['flag with a blank', { host: HOST, dbname: 'app', options: `--cluster ${cluster}` }, 'database', /without "="/],
    [
      'malformed prefix',
      { host: HOST, dbname: 'my.db' },
      'database',
      /dbname names the cluster \(2 characters\), which has no/,
    ],
    ['three parts', { host: HOST, dbname: 'a.b.c' }, 'sni', /2 dots/],
    ['empty database', { host: HOST, dbname: `${cluster}.` }, 'database', /1 dot,/],
    ['malformed cluster', { host: '10.0.0.7', dbname: 'app', cluster: 'cozy-otter-x' }, 'database', /decimal digits/],
    ['sni on an IP address', { host: '10.0.0.7', dbname: 'app', cluster }, 'sni', /clusterRouting is "sni"/],
    ['sni on another name', { host: 'db.internal', dbname: 'app', cluster }, 'sni', /clusterRouting is "sni"/],
    ['sni on a free-tier host', { host: FREE_TIER, dbname: 'app', cluster }, 'sni', /clusterRouting is "sni"/],
    [
      'cluster for an Advanced host of four characters',
      { host: 'blue-dog-5bct.gcp-us-east4.crdb.io', dbname: 'app', cluster },
      'database',
      /Advanced/,
    ],
    ['cluster for an Advanced host', { host: ADVANCED, dbname: 'app', cluster }, 'database', /Advanced/],
  ])('refuses %s', (_name, fields, clusterRouting, message) => {
    expect(() => routeToCluster(fields, clusterRouting)).toThrow(
      expect.objectContaining({
        code: 'ERR_ROUTING',
        message: expect.stringMatching(message),
        hint: expect.any(String),
      }),
    )
  })

  test.each<[string, RoutingFields]>([
    ['as cluster', { host: HOST, dbname: 'app', cluster: 'Zq7kW2vN9x' }],
    ['as cluster of an Advanced host', { host: ADVANCED, dbname: 'app', cluster: 'Zq7kW2vN9x' }],
    ['in front of the database name', { host: HOST, dbname: 'Zq7kW2vN9x.app' }],
    ['with dots as the database name', { host: HOST, dbname: 'a.Zq7kW2vN9x.b' }],
    ['in the flag', { host: HOST, dbname: 'app', options: '--cluster=Zq7kW2vN9x' }],
  ])('does not show a password %s', (_name, fields) => {
    expect(() => routeToCluster(fields, 'database')).toThrow(
      expect.objectContaining({ code: 'ERR_ROUTING', message: expect.not.stringContaining('Zq7kW2vN9x') }),
    )
  })
})
