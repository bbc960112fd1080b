/** What kind of server a host name stands for. */

const CLOUD_DOMAINS = ['.cockroachlabs.cloud', '.crdb.io']
const CLOUD_PORT = 26257
const POSTGRESQL_PORT = 5432

const MAX_UINT64 = 2n ** 64n - 1n

/** The labels in front of CockroachDB Cloud's domain, in lower case; none for any other host. */
function cloudLabels(host: string): string[] {
  const name = host.toLowerCase()
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  const domain = CLOUD_DOMAINS.find((each) => bare.endsWith(each))
  return domain === undefined ? [] : bare.slice(0, -domain.length).split('.')
}

/** True for every host of CockroachDB Cloud, whatever the plan. */
export function isCloudHost(host: string): boolean {
  return cloudLabels(host).length > 0
}

/** True for the hosts that many old clusters shared, `free-tier<number>.…`: such a name does not contain the cluster. */
export function isFreeTierHost(host: string): boolean {
  const [first = ''] = cloudLabels(host)
  return first.startsWith('free-tier') && /^free-tier\d*$/.test(first)
}

/**
 * True for `<name>-<3 or 4 characters>.<cloud>-<region>.…`: a cluster with hosts and a CA of its own, and no proxy. Four
 * digits may also be a tenant id; such a host is not counted as Advanced.
 */
export function isAdvancedHost(host: string): boolean {
  const [first = '', location = '', ...rest] = cloudLabels(host)
  return (
    !isFreeTierHost(host) &&
    rest.length === 0 &&
    /^[a-z0-9-]+-(?!\d{4}$)[a-z0-9]{3,4}$/.test(first) &&
    /^(aws|azure|gcp)-[a-z0-9-]+$/.test(location)
  )
}

/** What is wrong with a cluster identifier, or undefined when it is `<name>-<tenant id>` as CockroachDB Cloud's proxy reads it. */
export function faultOfCluster(identifier: string): string | undefined {
  const dash = identifier.lastIndexOf('-')
  if (dash === -1) return 'has no "-<tenant id>" at its end'
  const tenantId = identifier.slice(dash + 1)
  if (!/^[a-z0-9][a-z0-9-]{4,98}[a-z0-9]$/.test(identifier.slice(0, dash))) {
    return 'has a cluster name that is not 6 to 100 lower-case letters, digits and dashes'
  }
  if (!/^\d+$/.test(tenantId)) return 'does not end in a tenant id of decimal digits'
  // The largest has 20 digits.
  const id = BigInt(tenantId.slice(0, 21))
  return id < 2n || id > MAX_UINT64 ? 'has a tenant id out of range' : undefined
}

/**
 * The cluster identifier in the host name of a Basic or Standard cluster, `<name>-<tenant id>.<3 characters>.…cockroachlabs.cloud`.
 * Undefined for Advanced clusters, whose second label is `<cloud>-<region>`, for private endpoints, which have
 * `internal-` or `private-` in front of a name that may itself begin so, and for every other host.
 */
export function clusterFromHost(host: string): string | undefined {
  const [first, short] = cloudLabels(host)
  if (first === undefined || !/^[a-z0-9]{3}$/.test(short ?? '')) return undefined
  if (first.startsWith('internal-') || first.startsWith('private-')) return undefined
  return faultOfCluster(first) === undefined ? first : undefined
}

/** The port that a server listens on when none is given; with `cluster`, an address or a private name is of CockroachDB Cloud. */
export function defaultPort(host: string, cluster?: string): number {
  return cluster !== undefined || isCloudHost(host) ? CLOUD_PORT : POSTGRESQL_PORT
}

/** The database that every CockroachDB Cloud cluster has; other servers have no common one. */
export function defaultDbname(host: string, cluster?: string): string | undefined {
  return cluster !== undefined || isCloudHost(host) ? 'defaultdb' : undefined
}
