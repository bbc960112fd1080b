/** A request for a secret, and its answer, whichever service answers. */

export type VersionStage = 'AWSCURRENT' | 'AWSPENDING'

export interface SecretRequest {
  /** Name or ARN. */
  readonly secretId: string
  readonly versionStage: VersionStage
  readonly signal: AbortSignal
  /** Called when the request is sent, if that is known: until the answer there is time for other work. */
  readonly onSent?: () => void
}

export interface SecretValue {
  /** Undefined for a binary secret. */
  readonly secretString: string | undefined
  readonly versionId: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAt: number | undefined
}

/** Returns one version of a secret, or throws the error of the service. */
export type GetSecretValue = (request: SecretRequest) => Promise<SecretValue>

/** The two ways to read the secret. */
export interface SecretReaders {
  /** Used first; may answer from a cache. */
  readonly getCached: GetSecretValue
  /** Used when the cached value is known to be old. */
  readonly getFresh: GetSecretValue
}
