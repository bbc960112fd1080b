/** Keeps the secret: one request at a time, re-read when old, the old value when Secrets Manager fails. */
import { ConnectionError } from '../base/connection-error.ts'
import type { Diagnostics } from '../base/diagnostics.ts'
import type { ParsedFields } from '../connection-string/fields.ts'
import { currentInvocation, endOfStep, type Invocation } from '../lambda/deadline.ts'
import { isResourceNotFound, secretUnavailable } from './error.ts'
import { putSecretValueCommand } from './put-secret-value.ts'
import type { GetSecretValue, VersionStage } from './reader/request.ts'

/** Less than connecting may take in all, so that the reason is told and not just that time was up. */
const READ_TIMEOUT_MS = 4000
/** With an old value at hand nobody waits longer than this for a new one. */
const REREAD_LIMIT_MS = 1000
/** Before the deadline, so that the reason is told: time for that, in milliseconds. */
const SPARE_MS = 100
/** After a failed re-read the old value serves this long before Secrets Manager is asked again. */
const STALE_FOR_MS = 30_000

/** One version of the secret, parsed; the text itself is not kept. */
export interface SecretVersion extends ParsedFields {
  readonly versionId: string | undefined
  readonly versionStage: VersionStage
  /** When this version was made, in milliseconds since 1970. */
  readonly createdAt: number | undefined
  /** When it was read, in milliseconds since 1970. */
  readonly readAt: number
}

/** Shared by those who ask meanwhile. */
interface RequestInFlight {
  readonly reading: Promise<SecretVersion>
  readonly invocation: Invocation | undefined
}

export interface SecretSourceOptions {
  readonly secretId: string
  readonly ttlMs: number
  /** Asked first; may answer from a cache of its own. */
  readonly getCached: GetSecretValue
  /** Asked when the cached value is known to be old. */
  readonly getFresh: GetSecretValue
  readonly parse: (secretString: string) => ParsedFields
  readonly diagnostics: Diagnostics
  readonly now: () => number
}

/** Stops waiting in time; the reading goes on, and what it brings serves the next connection. */
function within<Value>(limitMs: number, secretId: string, reading: Promise<Value>): Promise<Value> {
  const { promise, resolve, reject } = Promise.withResolvers<Value>()
  const noAnswer = Object.assign(new Error(`no answer within ${Math.round(limitMs)} ms`), { name: 'TimeoutError' })
  const timer = setTimeout(() => reject(secretUnavailable(secretId, noAnswer)), limitMs)
  void reading.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}

/** How long a first reading may be waited for. */
function firstReadLimitMs(): number {
  const now = performance.now()
  return Math.max(0, endOfStep(READ_TIMEOUT_MS + SPARE_MS, now) - SPARE_MS - now)
}

export class SecretSource {
  readonly #options: SecretSourceOptions
  readonly #inFlight = new Map<string, RequestInFlight>()
  #version: SecretVersion | undefined
  #rereadAt = 0

  constructor(options: SecretSourceOptions) {
    this.#options = options
  }

  /** The version in use, if the secret was read already. */
  get version(): SecretVersion | undefined {
    return this.#version
  }

  /**
   * The secret for a new connection: as it was read, while it is younger than its time to live.
   *
   * @throws ConnectionError `ERR_SECRET_UNAVAILABLE` or `ERR_SECRET_INVALID`, when no older value can stand in.
   */
  async current(): Promise<SecretVersion> {
    const known = this.#version
    if (known !== undefined && this.#options.now() < this.#rereadAt) return known
    try {
      const limitMs = known === undefined ? firstReadLimitMs() : REREAD_LIMIT_MS
      return await within(limitMs, this.#options.secretId, known === undefined ? this.#first() : this.#renew())
    } catch (error) {
      if (known === undefined || !(error instanceof ConnectionError)) throw error
      this.#rereadAt = this.#options.now() + STALE_FOR_MS
      this.#options.diagnostics.warn(
        'secret-stale',
        `the secret could not be read again, the old value is used: ${error.message}`,
      )
      return known
    }
  }

  /** The secret past every cache, for when the server refused the password. */
  async reread(): Promise<SecretVersion> {
    return this.#adopt(await this.#read('AWSCURRENT', this.#options.getFresh))
  }

  /** The version that a rotation is about to make current, if there is one. */
  async pending(): Promise<SecretVersion | undefined> {
    try {
      return await this.#read('AWSPENDING', this.#options.getFresh)
    } catch (error) {
      if (isResourceNotFound(error)) return undefined
      throw error
    }
  }

  /** Keeps a version that the server accepted, until its time to live ends. */
  adopt(version: SecretVersion): void {
    this.#adopt(version)
  }

  /** A request from before this invocation may have met what is over by now: after its failure comes one more. */
  #first(): Promise<SecretVersion> {
    const invocation = currentInvocation()
    const isOlder = [...this.#inFlight.values()].some((request) => request.invocation !== invocation)
    const reading = this.#renew()
    return isOlder ? reading.catch(() => this.#renew()) : reading
  }

  async #renew(): Promise<SecretVersion> {
    const cached = await this.#read('AWSCURRENT', this.#options.getCached)
    return this.#adopt(this.#isOutdated(cached) ? await this.#read('AWSCURRENT', this.#options.getFresh) : cached)
  }

  /** A cache on the way may still hold what was replaced before our own last reading. */
  #isOutdated({ createdAt }: SecretVersion): boolean {
    const known = this.#version?.createdAt
    return known !== undefined && createdAt !== undefined && createdAt < known
  }

  #adopt(version: SecretVersion): SecretVersion {
    this.#version = version
    this.#rereadAt = version.readAt + this.#options.ttlMs
    return version
  }

  /** Several callers share one request; a failure is forgotten as soon as it was told. */
  #read(versionStage: VersionStage, get: GetSecretValue): Promise<SecretVersion> {
    const key = `${versionStage} ${get === this.#options.getFresh ? 'fresh' : 'cached'}`
    const running = this.#inFlight.get(key)
    if (running !== undefined) return running.reading
    const reading = this.#fetch(versionStage, get).finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, { reading, invocation: currentInvocation() })
    return reading
  }

  async #fetch(versionStage: VersionStage, get: GetSecretValue): Promise<SecretVersion> {
    const { secretId, now, parse, diagnostics } = this.#options
    const startedAt = now()
    const signal = AbortSignal.timeout(READ_TIMEOUT_MS)
    const value = await get({ secretId, versionStage, signal }).catch((error: unknown) => {
      throw secretUnavailable(secretId, error)
    })
    if (value.secretString === undefined) {
      throw new ConnectionError('ERR_SECRET_INVALID', `secret "${secretId}" is binary; expected text`, {
        hint: `Store a connection string or JSON as text: ${putSecretValueCommand(secretId, '…')}`,
        safeToRetry: true,
      })
    }
    const parsed = parse(value.secretString)
    const readAt = now()
    diagnostics.publish('secret', { secretId, versionId: value.versionId, versionStage, ms: readAt - startedAt })
    return { ...parsed, versionId: value.versionId, versionStage, createdAt: value.createdAt, readAt }
  }
}
