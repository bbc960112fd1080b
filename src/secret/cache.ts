/** The secret version in use: read again when it is old, and used on while Secrets Manager fails. */
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import { foreignText } from '../base/foreign-text.ts'
import { traced } from '../base/tracing.ts'
import { within } from '../base/within.ts'
import { ANSWER_TIMEOUT_MS, answerLimit, noAnswer } from '../lambda/deadline.ts'
import { isResourceNotFound, secretUnavailable } from './error.ts'
import { putSecretValueHint } from './put-secret-value.ts'
import type { GetSecretValue, SecretReaders, VersionStage } from './reader/request.ts'
import { SharedRead } from './shared-read.ts'

/** With a version in use, callers wait no longer than this for a new one. */
const REREAD_LIMIT_MS = 1000
/** After a failed re-read, the time until Secrets Manager is asked again. */
const STALE_FOR_MS = 30_000

const METHOD = 'SecretsManager/GetSecretValue'
/** @see https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/ */
const CALL = { 'rpc.system.name': 'aws-api', 'rpc.method': METHOD }

/** One version of the secret, without its value. */
export interface SecretVersion {
  readonly versionId: string | undefined
  readonly versionStage: VersionStage
  /** When this version was made, in milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** When it was read, on the clock of the cache. */
  readonly readAt: number
}

/** What the cache looks at in its values. */
export interface Cacheable {
  /** True for a value that is used once. */
  readonly isForSnapshot: boolean
}

/** A value, and the version of the secret that it was made from. */
export type FromSecret<Value> = Value & { readonly secret: SecretVersion }

export interface SecretCacheOptions<Value> extends SecretReaders {
  readonly secretId: string
  readonly ttlMs: number
  /** Makes the value to use from the secret's text; if it throws, the read has failed. */
  readonly resolve: (secretString: string) => Value
  readonly diagnostics: Diagnostics
  /** A clock that is never set back, and goes on during a freeze, in milliseconds. */
  readonly now: () => number
}

/** Any other error counts as an unusable secret too: an error of the JavaScript engine may quote the text. */
function resolveOrRefuse<Value>(
  secretString: string,
  { secretId, resolve }: Pick<SecretCacheOptions<Value>, 'secretId' | 'resolve'>,
): Value {
  try {
    return resolve(secretString)
  } catch (error) {
    if (error instanceof ConnectionError) throw error
    throw new ConnectionError('ERR_SECRET_INVALID', `secret "${secretId}" cannot be read`, {
      hint: putSecretValueHint(secretId),
      safeToRetry: true,
    })
  }
}

export class SecretCache<Value extends Cacheable> {
  readonly #options: SecretCacheOptions<Value>
  readonly #cached: SharedRead<FromSecret<Value>>
  readonly #fresh: SharedRead<FromSecret<Value>>
  readonly #pending: SharedRead<FromSecret<Value>>
  #inUse: FromSecret<Value> | undefined
  #rereadAt = 0

  constructor(options: SecretCacheOptions<Value>) {
    this.#options = options
    this.#cached = new SharedRead(() => this.#read('AWSCURRENT', options.getCached))
    this.#fresh = new SharedRead(() => this.#read('AWSCURRENT', options.getFresh))
    this.#pending = new SharedRead(() => this.#read('AWSPENDING', options.getFresh))
  }

  /** The value in use, if the secret has been read. */
  get inUse(): FromSecret<Value> | undefined {
    return this.#inUse
  }

  /**
   * The value for a new connection: the one in use, while it is younger than its time to live.
   *
   * @throws ConnectionError `ERR_SECRET_UNAVAILABLE`, `ERR_SECRET_INVALID`, or as `resolve` throws, when none is
   * in use.
   */
  async current(): Promise<FromSecret<Value>> {
    const inUse = this.#inUse
    if (inUse !== undefined && this.#options.now() < this.#rereadAt) return inUse
    try {
      const unavailable = (cause: Error) => secretUnavailable(this.#options.secretId, cause)
      if (inUse === undefined) return await within(answerLimit('the secret was not read', unavailable), this.#first())
      return await within(noAnswer(REREAD_LIMIT_MS, unavailable), this.#renew())
    } catch (error) {
      if (inUse === undefined || !(error instanceof ConnectionError)) throw error
      this.#rereadAt = this.#options.now() + STALE_FOR_MS
      this.#options.diagnostics.warn(
        'secret-stale',
        `the secret could not be read again, the version in use stays: ${error.message}`,
      )
      return inUse
    }
  }

  /** From the secret, not from a cache: for use after the server refused the password. */
  async reread(): Promise<FromSecret<Value>> {
    return this.adopt(await this.#fresh.run())
  }

  /** From the version that a rotation is about to make current, if there is one. */
  async pending(): Promise<FromSecret<Value> | undefined> {
    try {
      return await this.#pending.run()
    } catch (error) {
      if (isResourceNotFound(error)) return undefined
      throw error
    }
  }

  /** Makes a value the one in use, until its time to live ends. */
  adopt(value: FromSecret<Value>): FromSecret<Value> {
    // Read again for the next connection.
    if (value.isForSnapshot) return value
    this.#inUse = value
    this.#rereadAt = value.secret.readAt + this.#options.ttlMs
    return value
  }

  /** A request of an earlier invocation may have failed for a reason that is gone: one repeat follows. */
  #first(): Promise<FromSecret<Value>> {
    const isOlder = this.#cached.isOfOtherInvocation
    const reading = this.#renew()
    return isOlder ? reading.catch(() => this.#renew()) : reading
  }

  async #renew(): Promise<FromSecret<Value>> {
    const cached = await this.#cached.run()
    return this.adopt(this.#isOutdated(cached.secret) ? await this.#fresh.run() : cached)
  }

  /** A cache may return an older version than the one in use. */
  #isOutdated({ createdAt }: SecretVersion): boolean {
    const known = this.#inUse?.secret.createdAt
    return known !== undefined && createdAt !== undefined && createdAt < known
  }

  #read(versionStage: VersionStage, get: GetSecretValue): Promise<FromSecret<Value>> {
    const { secretId } = this.#options
    const arn = secretId.startsWith('arn:') ? secretId : undefined
    const describe = () => ({ name: METHOD, attributes: { ...CALL, 'aws.secretsmanager.secret.arn': arn } })
    return traced('secret', describe, () => this.#fetch(versionStage, get))
  }

  async #fetch(versionStage: VersionStage, get: GetSecretValue): Promise<FromSecret<Value>> {
    const { secretId, now, diagnostics } = this.#options
    const startedAt = now()
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    const { secretString, versionId, createdAt } = await get({ secretId, versionStage, signal }).catch(
      (error: unknown) => {
        throw secretUnavailable(secretId, error)
      },
    )
    if (secretString === undefined) {
      throw new ConnectionError('ERR_SECRET_INVALID', `secret "${secretId}" is binary; expected text`, {
        hint: putSecretValueHint(secretId),
        safeToRetry: true,
      })
    }
    const value = resolveOrRefuse(secretString, this.#options)
    const readAt = now()
    const secret = { versionId: versionId && foreignText(versionId), versionStage, createdAt, readAt }
    diagnostics.publish('secret', { secretId, versionId: secret.versionId, versionStage, ms: readAt - startedAt })
    return { ...value, secret }
  }
}
