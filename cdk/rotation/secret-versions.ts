/** The versions of the secrets of a rotation, in Secrets Manager. */
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager'
import { VERIFIED_TLS } from '../../src/base/verified-tls.ts'
import { RotationError } from './rotation-error.ts'

const CONNECTION_TIMEOUT_MS = 2000
const REQUEST_TIMEOUT_MS = 5000

export const AWSCURRENT = 'AWSCURRENT'
export const AWSPENDING = 'AWSPENDING'

/** Which value: that of the stage, of the version if one is given. */
interface Selector {
  readonly VersionStage: string
  readonly VersionId?: string
}

export class SecretVersions implements Disposable {
  readonly #client: SecretsManagerClient
  readonly #secretId: string

  constructor(secretId: string) {
    this.#secretId = secretId
    this.#client = new SecretsManagerClient({
      requestHandler: {
        connectionTimeout: CONNECTION_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        httpsAgent: VERIFIED_TLS,
      },
    })
  }

  /** The stages of each version, and whether rotation is switched on. */
  async describe(): Promise<{ isEnabled: boolean; stages: Readonly<Record<string, readonly string[]>> }> {
    const answer = await this.#client.send(new DescribeSecretCommand({ SecretId: this.#secretId }))
    return { isEnabled: answer.RotationEnabled === true, stages: answer.VersionIdsToStages ?? {} }
  }

  /** The text of the version in use, of this secret or of another. @throws RotationError for a binary secret */
  async current(secretId = this.#secretId): Promise<string> {
    return this.#read(secretId, { VersionStage: AWSCURRENT })
  }

  /** The text of the version that the rotation makes; undefined while it has none. */
  async pending(VersionId: string): Promise<string | undefined> {
    try {
      return await this.#read(this.#secretId, { VersionId, VersionStage: AWSPENDING })
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined
      throw error
    }
  }

  /** Gives the version of the rotation its text. */
  async putPending(ClientRequestToken: string, SecretString: string): Promise<void> {
    const SecretId = this.#secretId
    const VersionStages = [AWSPENDING]
    await this.#client.send(new PutSecretValueCommand({ SecretId, ClientRequestToken, SecretString, VersionStages }))
  }

  /** Makes a version the one in use; Secrets Manager gives the last one AWSPREVIOUS. */
  async promote(MoveToVersionId: string, RemoveFromVersionId: string | undefined): Promise<void> {
    const SecretId = this.#secretId
    const move = { SecretId, VersionStage: AWSCURRENT, MoveToVersionId, RemoveFromVersionId }
    await this.#client.send(new UpdateSecretVersionStageCommand(move))
  }

  [Symbol.dispose](): void {
    this.#client.destroy()
  }

  async #read(SecretId: string, selector: Selector): Promise<string> {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId, ...selector }))
    if (SecretString !== undefined) return SecretString
    throw new RotationError(`secret "${SecretId}" is binary`, {
      code: 'ERR_SECRET_INVALID',
      hint: 'Store it as text: put-secret-value --secret-string.',
    })
  }
}
