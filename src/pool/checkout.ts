/** Decides whether a connection that lay idle can be trusted after a freeze that may have lasted any time. */

import { LONGEST_IDLE_MS, type PoolOptions } from '../settings/pool-options.ts'

/** A proxy or server closes nothing this early, and a FIN sent meanwhile has been seen. */
const TRUSTED_IDLE_MS = 60_000
/** Cockroach Labs' advice for functions. */
const MAX_LIFETIME_MS = 30 * 60_000
const LIFETIME_JITTER = 0.1

export type Verdict = 'use' | 'probe' | 'replace'

/** All in milliseconds. */
export interface IdleConnection {
  readonly idleForMs: number
  readonly ageMs: number
  readonly maxLifetimeMs: number
  readonly idleTimeoutMs: number
}

/**
 * What to do with an idle connection.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
 */
export function assess({ idleForMs, ageMs, maxLifetimeMs, idleTimeoutMs }: IdleConnection): Verdict {
  if (ageMs > maxLifetimeMs || idleForMs > idleTimeoutMs) return 'replace'
  return idleForMs > TRUSTED_IDLE_MS ? 'probe' : 'use'
}

/** For how long a pool keeps its connections. */
export interface Keeping {
  readonly idleTimeoutMs: number
  readonly maxUses: number
  readonly maxLifetimeMs: () => number
}

/** 30 minutes, give or take a tenth, so that connections opened together do not end together. */
export function maxLifetimeMs(random: () => number): number {
  return MAX_LIFETIME_MS * (1 + LIFETIME_JITTER * (2 * random() - 1))
}

/** As pg's options say; 0 and absent are no limit, but for what networks and Cockroach Labs advise. */
export function keepingOf(options: PoolOptions, random: () => number): Keeping {
  const { idleTimeoutMillis, maxUses = Number.POSITIVE_INFINITY, maxLifetimeSeconds } = options
  return {
    idleTimeoutMs: idleTimeoutMillis || LONGEST_IDLE_MS,
    maxUses,
    maxLifetimeMs: () =>
      maxLifetimeSeconds === undefined ? maxLifetimeMs(random) : maxLifetimeSeconds * 1000 || Number.POSITIVE_INFINITY,
  }
}
