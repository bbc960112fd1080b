/** The names of our own environment variables, which `cdk/` uses too. */

export const COCKROACH_SECRET_ID = 'COCKROACH_SECRET_ID'
export const COCKROACH_SECRET_KEY = 'COCKROACH_SECRET_KEY'
export const COCKROACH_SECRET_TTL_SECONDS = 'COCKROACH_SECRET_TTL_SECONDS'
export const COCKROACH_CLUSTER = 'COCKROACH_CLUSTER'
export const COCKROACH_CLUSTER_ROUTING = 'COCKROACH_CLUSTER_ROUTING'
export const COCKROACH_MAX_CONNECTIONS = 'COCKROACH_MAX_CONNECTIONS'
export const COCKROACH_GRACEFUL_SHUTDOWN = 'COCKROACH_GRACEFUL_SHUTDOWN'
export const COCKROACH_DEADLINE_MARGIN_MS = 'COCKROACH_DEADLINE_MARGIN_MS'
export const COCKROACH_METRICS = 'COCKROACH_METRICS'
export const COCKROACH_READY_TIMEOUT_MS = 'COCKROACH_READY_TIMEOUT_MS'

/** The environment of a process, or a part of it. */
export type Environment = Readonly<Record<string, string | undefined>>
