/** What is asked of a place that hands out secrets, and what it answers. */

export type VersionStage = 'AWSCURRENT' | 'AWSPENDING'

export interface SecretRequest {
  /** Name or ARN. */
  readonly secretId: string
  readonly versionStage: VersionStage
  readonly signal: AbortSignal
  /** Called when the request has left, where that is known: a time to spend until the answer comes. */
  readonly onSent?: () => void
}

export interface SecretValue {
  /** Undefined for a binary secret. */
  readonly secretString: string | undefined
  readonly versionId: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined
}

/** Hands out one version of a secret, or throws what the service said. */
export type GetSecretValue = (request: SecretRequest) => Promise<SecretValue>

/** The two ways to the secret. */
export interface SecretReaders {
  /** Asked first; may answer from a cache of its own. */
  readonly getCached: GetSecretValue
  /** Asked when the cached value is known to be old. */
  readonly getFresh: GetSecretValue
}
