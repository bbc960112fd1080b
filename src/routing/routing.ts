/** Puts the cluster identifier where CockroachDB Cloud's proxy looks for it, if all fields that name it agree. */
import { isIP } from 'node:net'
import { ConnectionError } from '../base/connection-error.ts'
import { shown } from '../base/refusal.ts'
import type { ClusterRouting } from './cluster-routing.ts'
import { clusterFromHost, faultOfCluster, isAdvancedHost, isFreeTierHost } from './host.ts'

export { defaultDbname, defaultPort } from './host.ts'

export interface RoutingFields {
  readonly host: string
  readonly dbname: string
  readonly options?: string
  readonly cluster?: string
}

/** The fields to send. `cluster` is set when the connection is routed. */
export interface RoutedFields {
  readonly dbname: string
  readonly options?: string
  readonly cluster?: string
}

/** One field that names the cluster. */
interface Mention {
  readonly field: string
  readonly identifier: string
}

/** The proxy's own expression, so that both find the same flags. */
const CLUSTER_FLAG = /(?:-c\s*|--)cluster=(\S*)/g
const FORM = 'An identifier is <cluster name>-<tenant id>, such as cozy-otter-4821: the host name up to its first dot.'

function refusal(message: string, hint: string): ConnectionError {
  return new ConnectionError('ERR_ROUTING', message, { hint, safeToRetry: true })
}

/** A text with the shape of an identifier; any other text may be a password stored there by mistake. */
function shownCluster(identifier: string): string {
  return shown(identifier, /^[\w-]{1,110}-\d{1,20}$/)
}

function splitOptions(options = ''): { rest: string; flags: Mention[] } {
  if (options === '') return { rest: '', flags: [] }
  const flags = [...options.matchAll(CLUSTER_FLAG)].map((match) => ({ field: 'options', identifier: match[1] ?? '' }))
  if (/--cluster(\s|$)/.test(options)) {
    throw refusal(
      'options has "--cluster" without "=": the proxy does not read it',
      'Write --cluster=<name>-<tenant id>.',
    )
  }
  if (flags.length > 1) {
    throw refusal(`options names the cluster ${flags.length} times`, 'Keep one --cluster flag.')
  }
  return { rest: options.replace(CLUSTER_FLAG, '').trim(), flags }
}

function splitDbname(dbname: string): { bare: string; prefixes: Mention[] } {
  const parts = dbname.split('.')
  const [first = '', second = ''] = parts
  if (parts.length === 1) return { bare: first, prefixes: [] }
  if (parts.length !== 2 || first === '' || second === '') {
    throw refusal(
      `dbname has ${parts.length - 1} dot${parts.length === 2 ? '' : 's'}, and is not <cluster identifier>.<database>`,
      'CockroachDB Cloud reads a dot in the database name as the end of the cluster identifier; use a name without a dot.',
    )
  }
  return { bare: second, prefixes: [{ field: 'dbname', identifier: first }] }
}

function agreedCluster(mentions: readonly Mention[]): string | undefined {
  for (const { field, identifier } of mentions) {
    const fault = faultOfCluster(identifier)
    if (fault !== undefined)
      throw refusal(`${field} names the cluster ${shownCluster(identifier)}, which ${fault}`, FORM)
  }
  const identifiers = new Set(mentions.map((mention) => mention.identifier))
  if (identifiers.size > 1) {
    const named = mentions.map(({ field, identifier }) => `${field} "${identifier}"`)
    throw refusal(
      `different clusters are named: ${named.join(', ')}`,
      'Name the cluster once; the host name is enough for a Basic or Standard cluster.',
    )
  }
  return mentions[0]?.identifier
}

function checkServerName(host: string, cluster: string): void {
  const serverName = isIP(host) === 0 && host.includes('.') ? host.slice(0, host.indexOf('.')) : undefined
  if (serverName === cluster) return
  throw refusal(
    `clusterRouting is "sni", but the host name does not begin with "${cluster}."`,
    'Use the host name that the console shows, or set clusterRouting to "database".',
  )
}

/**
 * The database name and options to send. Nothing changes for a server that is not behind CockroachDB Cloud's proxy; with
 * `cluster`, an IP address or a private name counts as behind it.
 *
 * @throws ConnectionError `ERR_ROUTING` when the identifier is missing, malformed, or different in two fields.
 */
export function routeToCluster(fields: RoutingFields, clusterRouting: ClusterRouting): RoutedFields {
  const { host, dbname, options, cluster } = fields
  const fromHost = clusterFromHost(host)
  const isFreeTier = isFreeTierHost(host)
  if (fromHost === undefined && !isFreeTier && cluster === undefined) {
    return { dbname, ...(options === undefined ? {} : { options }) }
  }
  if (isAdvancedHost(host)) {
    throw refusal(
      `cluster is ${shownCluster(cluster ?? '')}, but the host is of an Advanced cluster, which needs no cluster identifier`,
      'Leave cluster out, or use the host name of the Basic or Standard cluster.',
    )
  }
  const { rest, flags } = splitOptions(options)
  const { bare, prefixes } = splitDbname(dbname)
  const mentions = [...prefixes, ...flags]
  if (cluster !== undefined) mentions.unshift({ field: 'cluster', identifier: cluster })
  if (fromHost !== undefined) mentions.push({ field: 'host', identifier: fromHost })

  const agreed = agreedCluster(mentions)
  if (agreed === undefined) {
    throw refusal(
      'the host is shared by many clusters, and nothing names yours',
      'Set cluster (COCKROACH_CLUSTER) to <cluster name>-<tenant id>, or copy the host name from the console again.',
    )
  }
  if (clusterRouting === 'sni') checkServerName(host, agreed)
  const sentOptions = clusterRouting === 'options' ? `--cluster=${agreed} ${rest}`.trim() : rest
  return {
    dbname: clusterRouting === 'database' ? `${agreed}.${bare}` : bare,
    ...(sentOptions === '' ? {} : { options: sentOptions }),
    cluster: agreed,
  }
}
