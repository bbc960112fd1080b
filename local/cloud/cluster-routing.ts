/** Finds the cluster that a client names, by the rules of CockroachDB Cloud's SQL proxy. */
import type { Refusal } from './refusals.ts'
import type { StartupMessage } from './wire-protocol.ts'

const CLUSTER_NAME = /^[a-z0-9][a-z0-9-]{4,98}[a-z0-9]$/
const CLUSTER_FLAG = /(?:-c\s*|--)cluster=(\S*)/g
const IDENTIFIER_FORM = 'A cluster identifier has the form <name>-<tenant ID>, as in lazy-roach-3.'
const MAX_TENANT_ID = 2n ** 64n - 1n
/** 0 is not an id, 1 is the system tenant's. */
const FIRST_TENANT_ID = 2n

/** The cluster, and the start-up message for its servers. */
export interface ClusterRoute {
  /** `<name>-<tenant id>`, the id without leading zeros. */
  readonly cluster: string
  readonly startup: StartupMessage
}

/** Reads database, options and, if both name no cluster, the TLS server name. */
export function routeCluster(startup: StartupMessage, servername: string | undefined): ClusterRoute | Refusal {
  const database = splitDatabase(startup.parameters.get('database') ?? '')
  if ('reason' in database) return database
  const options = cutClusterFlag(startup.parameters.get('options') ?? '')
  if ('reason' in options) return options

  if (database.identifier === undefined && options.identifier === undefined) {
    const cluster = parseIdentifier(beforeFirstDot(servername ?? ''))
    // A server name that is not an identifier names no cluster. Routing by server name changes no parameter.
    return typeof cluster === 'string' ? { cluster, startup } : { reason: 'missing cluster identifier' }
  }
  const identifiers = [database.identifier, options.identifier].filter((identifier) => identifier !== undefined)
  const [identifier = '', other = identifier] = identifiers
  if (identifier !== other) return { reason: 'multiple different cluster identifiers provided', identifiers }
  const cluster = parseIdentifier(identifier)
  if (typeof cluster !== 'string') return cluster

  const parameters = new Map(startup.parameters)
  if (database.name !== '') parameters.set('database', database.name)
  if (options.rest === '') parameters.delete('options')
  else parameters.set('options', options.rest)
  return { cluster, startup: { ...startup, parameters } }
}

function splitDatabase(database: string): { identifier: string | undefined; name: string } | Refusal {
  const [first = '', second, ...more] = database.split('.')
  if (second === undefined) return { identifier: undefined, name: first }
  if (first === '' || second === '' || more.length > 0) return { reason: 'invalid database param' }
  return { identifier: first, name: second }
}

function cutClusterFlag(options: string): { identifier: string | undefined; rest: string } | Refusal {
  const [flag, ...more] = options.matchAll(CLUSTER_FLAG)
  if (flag === undefined) return { identifier: undefined, rest: options }
  if (more.length > 0) return { reason: 'multiple cluster flags provided' }
  const [text, identifier = ''] = flag
  if (identifier === '') return { reason: 'invalid cluster flag' }
  return { identifier, rest: options.replaceAll(text, '').trim() }
}

/** The identifier in its one spelling, or what is wrong with it. */
function parseIdentifier(identifier: string): string | Refusal {
  const invalid = (hint: string): Refusal => ({ reason: 'invalid cluster identifier', identifier, hint })
  const dash = identifier.lastIndexOf('-')
  const name = identifier.slice(0, Math.max(dash, 0))
  const tenantId = identifier.slice(dash + 1)
  if (dash === -1 || tenantId === '') return invalid(`The tenant ID at the end is missing.\n${IDENTIFIER_FORM}`)
  if (!CLUSTER_NAME.test(name)) return invalid(`Is '${name}' a valid cluster name?\n${IDENTIFIER_FORM}`)
  if (!/^\d+$/.test(tenantId) || BigInt(tenantId) > MAX_TENANT_ID)
    return invalid(`Is '${tenantId}' a valid tenant ID?\n${IDENTIFIER_FORM}`)
  if (BigInt(tenantId) < FIRST_TENANT_ID) return invalid(`Tenant ID ${BigInt(tenantId)} is invalid.`)
  return `${name}-${BigInt(tenantId)}`
}

/** Empty for a name without a dot. */
function beforeFirstDot(servername: string): string {
  return servername.slice(0, Math.max(servername.indexOf('.'), 0))
}
