/** Decides whether a client may go through to a cluster, in the order in which CockroachDB Cloud's proxy checks. */

import { routeCluster } from './cluster-routing.ts'
import { TOKEN_FLAG } from './jwt-authentication.ts'
import type { LoginThrottle } from './login-throttle.ts'
import { type Refusal, refusalError, type Wording } from './refusals.ts'
import type { PostgresAddress, Tenant } from './tenant.ts'
import type { FatalError, StartupMessage } from './wire-protocol.ts'

/** CockroachDB's database for clients that name none; PostgreSQL's is the user's name. */
const DEFAULT_DATABASE = 'defaultdb'

/** The server that a client is connected to, and the start-up message for it. */
export interface Admission {
  readonly cluster: string | undefined
  readonly postgres: PostgresAddress
  readonly startup: StartupMessage
}

/** What admission depends on. */
export interface AdmissionRules {
  /** False: an ordinary server, which routes nothing. */
  readonly routing: boolean
  readonly wording: Wording
  readonly postgres: PostgresAddress
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly throttle: LoginThrottle
}

/** An error has `sqlstate`, an admission has not. */
export function admit(
  rules: AdmissionRules,
  startup: StartupMessage,
  servername: string | undefined,
): Admission | FatalError {
  if (!rules.routing) return { cluster: undefined, postgres: rules.postgres, startup }
  const refuse = (refusal: Refusal): FatalError => refusalError(refusal, rules.wording)

  const route = routeCluster(startup, servername)
  if ('reason' in route) return refuse(route)
  const { cluster } = route
  const tenant = rules.tenants.get(cluster)
  if (tenant === undefined) return refuse({ reason: 'cluster not found', cluster })
  if (!tenant.allowsAddress) return refuse({ reason: 'address not on the allowlist' })
  if (rules.throttle.isThrottled(cluster)) return refuse({ reason: 'throttled' })
  if (!tenant.isAvailable) return refuse({ reason: 'unavailable' })
  if (tenant.isRequestUnitLimitHit) return refuse({ reason: 'request unit limit' })

  const name = route.startup.parameters.get('database') ?? DEFAULT_DATABASE
  const database = tenant.databaseFor(name)
  if (database === undefined) return { sqlstate: '3D000', message: `database "${name}" does not exist` }
  const parameters = new Map(route.startup.parameters).set('database', database)
  const options = parameters.get('options')
  // PostgreSQL does not know CockroachDB's flag, and refuses a client that sends it.
  if (options?.includes(TOKEN_FLAG)) parameters.set('options', options.replace(TOKEN_FLAG, '').trim())
  return { cluster, postgres: tenant.postgres, startup: { ...route.startup, parameters } }
}
