/** The secrets of the Secrets Manager stand-in: their versions, and the staging labels that move between them. */
import { randomBytes, randomUUID } from 'node:crypto'
import { SecretsManagerError } from './errors.ts'
import { Rotations } from './rotations.ts'

const ARN_PREFIX = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:'
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export const AWSCURRENT = 'AWSCURRENT'
export const AWSPENDING = 'AWSPENDING'
const AWSPREVIOUS = 'AWSPREVIOUS'

/** The value of a version: SecretString, or SecretBinary. */
export type SecretValue = string | Buffer

export interface SecretVersion {
  readonly VersionId: string
  /** Undefined for the version that a rotation is to fill. */
  value: SecretValue | undefined
  readonly createdAt: Date
  readonly stages: Set<string>
}

/** Which version of a secret: by id, by staging label, both (they must agree), or neither (AWSCURRENT). */
export interface VersionSelector {
  readonly VersionId?: string | undefined
  readonly VersionStage?: string | undefined
}

export interface PutOptions {
  /** ClientRequestToken; becomes the VersionId. */
  readonly token?: string | undefined
  /** VersionStages. @default [AWSCURRENT] */
  readonly stages?: readonly string[] | undefined
}

/** Which function rotates the secret, and when. */
export interface RotationSettings {
  readonly functionArn: string
  /** As RotateSecret was given them. */
  readonly rules: unknown
}

/** One secret. */
export class Secret {
  readonly ARN: string
  readonly Name: string
  readonly createdAt = new Date()
  changedAt = this.createdAt
  readonly versions = new Map<string, SecretVersion>()
  /** True when no principal may use it. */
  denied = false
  deletedAt: Date | undefined
  /** What RotateSecret has set. */
  rotation: RotationSettings | undefined
  rotatedAt: Date | undefined

  constructor(name: string) {
    this.Name = name
    this.ARN = `${ARN_PREFIX}${name}-${randomCharacters(6)}`
  }

  /** Adds a version, or finds the one that the same token and value made before. */
  put(value: SecretValue, { token = randomUUID(), stages = [AWSCURRENT] }: PutOptions = {}): SecretVersion {
    const existing = this.versions.get(token)
    if (existing !== undefined && existing.value === undefined) {
      existing.value = value
      this.changedAt = new Date()
      for (const stage of stages) this.moveStage(stage, existing)
      return existing
    }
    if (existing !== undefined) {
      if (!isSameValue(existing.value, value)) {
        throw new SecretsManagerError(
          'ResourceExistsException',
          `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${this.ARN}.`,
        )
      }
      return existing
    }
    const version: SecretVersion = { VersionId: token, value, createdAt: new Date(), stages: new Set() }
    const isFirst = this.versions.size === 0
    this.versions.set(token, version)
    this.changedAt = version.createdAt
    // AWS never leaves a secret that has a version without AWSCURRENT.
    for (const stage of isFirst ? new Set([AWSCURRENT, ...stages]) : stages) this.moveStage(stage, version)
    return version
  }

  /** Adds the version that a rotation is to fill, with the stage AWSPENDING. */
  addPending(token: string): SecretVersion {
    const version: SecretVersion = { VersionId: token, value: undefined, createdAt: new Date(), stages: new Set() }
    this.versions.set(token, version)
    this.moveStage(AWSPENDING, version)
    return version
  }

  /** The version a caller asks for. */
  find({ VersionId, VersionStage }: VersionSelector): SecretVersion {
    if (VersionId !== undefined) {
      const version = this.versions.get(VersionId)
      if (version === undefined) throw valueNotFound(`VersionId: ${VersionId}`)
      if (VersionStage !== undefined && !version.stages.has(VersionStage)) {
        throw new SecretsManagerError(
          'InvalidRequestException',
          'You provided a VersionStage that is not associated to the provided VersionId.',
        )
      }
      return version
    }
    const stage = VersionStage ?? AWSCURRENT
    const version = this.holder(stage)
    if (version === undefined) throw valueNotFound(`staging label: ${stage}`)
    return version
  }

  /** The version that has this staging label, if any has. */
  holder(stage: string): SecretVersion | undefined {
    return [...this.versions.values()].find((version) => version.stages.has(stage))
  }

  /** Gives a staging label to one version, or to none; the version that loses AWSCURRENT gets AWSPREVIOUS. */
  moveStage(stage: string, to: SecretVersion | undefined): void {
    const from = this.holder(stage)
    if (from === to) return
    this.changedAt = new Date()
    from?.stages.delete(stage)
    to?.stages.add(stage)
    if (stage === AWSCURRENT && from !== undefined) this.moveStage(AWSPREVIOUS, from)
  }
}

/** All secrets, found by name, ARN, or ARN without the six random characters. */
export class SecretStore {
  readonly rotations = new Rotations()
  readonly #secrets = new Map<string, Secret>()

  add(name: string): Secret {
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) {
      throw new SecretsManagerError(
        'ValidationException',
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
      )
    }
    const existing = this.#secrets.get(name)
    if (existing?.deletedAt !== undefined) {
      throw new SecretsManagerError(
        'InvalidRequestException',
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      )
    }
    if (existing !== undefined) {
      throw new SecretsManagerError(
        'ResourceExistsException',
        `The operation failed because the secret ${name} already exists.`,
      )
    }
    const secret = new Secret(name)
    this.#secrets.set(name, secret)
    return secret
  }

  find(secretId: string): Secret | undefined {
    return (
      this.#secrets.get(secretId) ??
      [...this.#secrets.values()].find(({ ARN }) => ARN === secretId || ARN.slice(0, -'-xxxxxx'.length) === secretId)
    )
  }
}

export function valueNotFound(what: string): SecretsManagerError {
  return new SecretsManagerError(
    'ResourceNotFoundException',
    `Secrets Manager can't find the specified secret value for ${what}`,
  )
}

function isSameValue(a: SecretValue | undefined, b: SecretValue): boolean {
  return a !== undefined && typeof a === typeof b && Buffer.from(a).equals(Buffer.from(b))
}

function randomCharacters(count: number): string {
  return Array.from(randomBytes(count), (byte) => ALPHANUMERIC[byte % ALPHANUMERIC.length]).join('')
}
