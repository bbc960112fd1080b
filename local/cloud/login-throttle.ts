/** Refuses logins to a cluster for a while after too many wrong passwords, as CockroachDB Cloud's proxy does. */

export interface ThrottleLimits {
  /** How many failed logins to one cluster are allowed within the window. */
  readonly maxFailures: number
  readonly windowMs: number
}

/** Counts failures per cluster; the Cloud's key is client address and cluster, and here there is one address. */
export class LoginThrottle {
  /** Undefined: no client is throttled. */
  limits: ThrottleLimits | undefined
  readonly #failedAt = new Map<string, number[]>()

  isThrottled(cluster: string, now = Date.now()): boolean {
    const { limits } = this
    if (limits === undefined) return false
    const recent = (this.#failedAt.get(cluster) ?? []).filter((at) => now - at < limits.windowMs)
    return recent.length >= limits.maxFailures
  }

  failed(cluster: string, now = Date.now()): void {
    this.#failedAt.set(cluster, [...(this.#failedAt.get(cluster) ?? []), now])
  }

  succeeded(cluster: string): void {
    this.#failedAt.delete(cluster)
  }
}
