/** The options of pg's own pool and client: which are taken, and why the others are not. */
import type { ClientBase, CustomTypesConfig } from 'pg'

/** Set in code only, under pg's names; none of them reads the environment or the secret. */
export interface PoolOptions {
  /** Runs once for each new connection, before anybody gets it; what it throws is what the caller gets. */
  readonly onConnect?: (client: ClientBase) => unknown
  /** A connection is replaced when it has been lent this often. @default no limit */
  readonly maxUses?: number
  /** A connection older than this is replaced when it is asked for next, in seconds; 0 for no limit. @default 1800, give or take a tenth */
  readonly maxLifetimeSeconds?: number
  /** A connection that lay idle for longer is replaced when it is asked for next, in milliseconds; 0 for the longest. @default 340000 */
  readonly idleTimeoutMillis?: number
  /** How long a statement may take at the client, in milliseconds. @default the invocation's deadline */
  readonly query_timeout?: number
  /** How long a statement may take at the server, in milliseconds. @default the server's */
  readonly statement_timeout?: number
  /** How long a statement may wait for a lock, in milliseconds. @default the server's */
  readonly lock_timeout?: number
  /** How long a transaction may lie idle, in milliseconds. @default the server's */
  readonly idle_in_transaction_session_timeout?: number
  /** TCP's own probes while a statement runs. @default false */
  readonly keepAlive?: boolean
  /** Before the first of them, in milliseconds. @default the system's */
  readonly keepAliveInitialDelayMillis?: number
  /** Results in PostgreSQL's binary format. @default false */
  readonly binary?: boolean
  /** Parsers of values, by type. @default those of `pg.types` */
  readonly types?: CustomTypesConfig
}

/** NAT gateways and load balancers drop idle flows without a word after 350 s. */
export const LONGEST_IDLE_MS = 340_000

/** A number has a range. */
interface PoolOption {
  readonly kind: 'function' | 'object' | 'boolean' | 'number'
  readonly range?: readonly [min: number, max: number]
}

const MILLISECONDS: PoolOption = { kind: 'number', range: [0, 86_400_000] }
const FLAG: PoolOption = { kind: 'boolean' }

export const POOL_OPTIONS: { readonly [Name in keyof PoolOptions]-?: PoolOption } = {
  onConnect: { kind: 'function' },
  maxUses: { kind: 'number', range: [1, 1_000_000_000] },
  maxLifetimeSeconds: { kind: 'number', range: [0, 86_400] },
  idleTimeoutMillis: { kind: 'number', range: [0, LONGEST_IDLE_MS] },
  query_timeout: MILLISECONDS,
  statement_timeout: MILLISECONDS,
  lock_timeout: MILLISECONDS,
  idle_in_transaction_session_timeout: MILLISECONDS,
  keepAlive: FLAG,
  keepAliveInitialDelayMillis: MILLISECONDS,
  binary: FLAG,
  types: { kind: 'object' },
}

/** Options of pg that have no meaning here, or another name, by the reason. */
export const REFUSED_OPTIONS: Readonly<Record<string, string>> = {
  min: 'nothing closes idle connections while a function is frozen',
  allowExitOnIdle: 'idle connections never keep the process from ending',
  log: 'subscribe to the diagnostics channels',
  verify: 'use onConnect',
  Client: 'use pg',
  Promise: "promises are Node's",
  connectionTimeoutMillis: 'use connect_timeout, in seconds',
  poolSize: 'use max',
  ssl: 'use sslrootcert, sslcert and sslkey',
  enableChannelBinding: 'use channel_binding',
  fallback_application_name: 'use application_name',
  client_encoding: 'it is UTF-8',
  sslnegotiation: 'it is postgres, which CockroachDB Cloud needs',
  pipeline: 'cancelling one statement at the deadline could end another',
  replication: 'a pool has no replication connections',
  scramMaxIterations: "pg's own limit holds",
  stream: 'the socket is made and checked here',
}

export function isPoolOption(name: string): name is keyof PoolOptions {
  return Object.hasOwn(POOL_OPTIONS, name)
}
