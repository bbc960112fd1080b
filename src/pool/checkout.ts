/** Decides whether a connection that lay idle can be trusted after a freeze that may have lasted any time. */

/** A proxy or server closes nothing this early, and a FIN sent meanwhile has been seen. */
const TRUSTED_IDLE_MS = 60_000
/** NAT gateways and load balancers drop idle flows without a word after 350 s. */
const LONGEST_IDLE_MS = 340_000
/** Cockroach Labs' advice for functions. */
const MAX_LIFETIME_MS = 30 * 60_000
const LIFETIME_JITTER = 0.1

export type Verdict = 'use' | 'probe' | 'replace'

/** All in milliseconds. */
export interface IdleConnection {
  readonly idleForMs: number
  readonly ageMs: number
  readonly maxLifetimeMs: number
}

/**
 * What to do with an idle connection.
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
 */
export function assess({ idleForMs, ageMs, maxLifetimeMs }: IdleConnection): Verdict {
  if (ageMs > maxLifetimeMs || idleForMs > LONGEST_IDLE_MS) return 'replace'
  return idleForMs > TRUSTED_IDLE_MS ? 'probe' : 'use'
}

/** 30 minutes, give or take a tenth, so that connections opened together do not end together. */
export function maxLifetimeMs(random: () => number): number {
  return MAX_LIFETIME_MS * (1 + LIFETIME_JITTER * (2 * random() - 1))
}
