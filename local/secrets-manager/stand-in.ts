/** AWS Secrets Manager on loopback: the real SDK talks to it through AWS_ENDPOINT_URL_SECRETS_MANAGER. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerCertificate } from '../certificates.ts'
import { answerJson, LoopbackHttpServer } from '../loopback/http-server.ts'
import { SecretsManagerError, type SecretsManagerErrorType } from './errors.ts'
import { OPERATIONS, type Request } from './operations.ts'
import type { RotationFunction } from './rotations.ts'
import { AWSCURRENT, type PutOptions, type Secret, SecretStore, type SecretValue } from './store.ts'

/** How a request can be made to fail: one of AWS's errors, or a connection that is reset. */
export type SecretsManagerFault = SecretsManagerErrorType | 'connection reset'

/** One request; the log contains nothing secret. */
export interface LoggedRequest {
  readonly operation: string
  readonly SecretId: string | undefined
  readonly VersionStage: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** The AWS JSON 1.1 protocol in front of a store of secrets, with controls for tests. */
export class SecretsManagerStandIn {
  /** Delays every answer, in milliseconds. */
  delayMs = 0
  readonly requests: LoggedRequest[] = []
  /** What tests do to secrets without a request. */
  readonly secrets: SecretControls
  readonly #store = new SecretStore()
  #server: LoopbackHttpServer | undefined
  #fault: SecretsManagerFault | undefined
  #faultsLeft = 0

  private constructor() {
    this.secrets = new SecretControls(this.#store)
  }

  /** @param certificate for HTTPS, as AWS has it; HTTP without one */
  static async start(certificate?: ServerCertificate): Promise<SecretsManagerStandIn> {
    const standIn = new SecretsManagerStandIn()
    standIn.#server = await LoopbackHttpServer.start(
      (request, response) => standIn.#handle(request, response),
      certificate,
    )
    return standIn
  }

  /** The value of AWS_ENDPOINT_URL_SECRETS_MANAGER. */
  get url(): string {
    return this.#server?.url ?? ''
  }

  /** The next `count` requests fail. */
  failNext(count: number, fault: SecretsManagerFault): void {
    this.#fault = fault
    this.#faultsLeft = count
  }

  /** Every request fails, until called with `undefined`. */
  failWith(fault: SecretsManagerFault | undefined): void {
    this.#fault = fault
    this.#faultsLeft = fault === undefined ? 0 : Number.POSITIVE_INFINITY
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const operation = String(request.headers['x-amz-target']).replace(/^secretsmanager\./, '')
      const members = await readMembers(request)
      this.requests.push({
        operation,
        SecretId: asText(members.SecretId ?? members.Name),
        VersionStage: asText(members.VersionStage),
        at: Date.now(),
      })
      const fault = this.#takeFault()
      if (this.delayMs > 0) await sleep(this.delayMs)
      if (fault === 'connection reset') {
        request.socket.resetAndDestroy()
        return
      }
      checkSignature(request.headers)
      if (fault !== undefined) throw new SecretsManagerError(fault)
      const operate = OPERATIONS.get(operation)
      if (operate === undefined) throw new SecretsManagerError('UnknownOperationException')
      answer(response, 200, operate(this.#store, members))
    } catch (cause) {
      const error = cause instanceof SecretsManagerError ? cause : new SecretsManagerError('InternalServiceError')
      answer(response, error.status, { __type: error.type, Message: error.message })
    }
  }

  #takeFault(): SecretsManagerFault | undefined {
    if (this.#faultsLeft === 0) return undefined
    this.#faultsLeft -= 1
    return this.#fault
  }
}

/** Test controls over the secrets; names, ARNs and partial ARNs are accepted everywhere. */
class SecretControls {
  readonly #store: SecretStore

  constructor(store: SecretStore) {
    this.#store = store
  }

  /** Creates a secret, without any version when there is no value; returns its ARN. */
  create(name: string, value?: SecretValue): string {
    const secret = this.#store.add(name)
    if (value !== undefined) secret.put(value)
    return secret.ARN
  }

  /** Adds a version; returns its VersionId. */
  put(secretId: string, value: SecretValue, options: PutOptions = {}): string {
    return this.#find(secretId).put(value, options).VersionId
  }

  /** Gives AWSCURRENT to a version, as the last step of a rotation does. */
  promote(secretId: string, VersionId: string): void {
    const secret = this.#find(secretId)
    secret.moveStage(AWSCURRENT, secret.find({ VersionId }))
  }

  /** No principal may use the secret from now on; `false` permits it again. */
  deny(secretId: string, denied = true): void {
    this.#find(secretId).denied = denied
  }

  /** Registers a rotation function by its ARN: RotateSecret calls it once for each step. */
  rotationFunction(functionArn: string, call: RotationFunction): void {
    this.#store.rotations.register(functionArn, call)
  }

  /** Resolves when the secret's rotation has ended: with its error, or undefined when it succeeded. */
  rotated(secretId: string): Promise<unknown> {
    return this.#store.rotations.ended(this.#find(secretId))
  }

  /** Marks the secret for deletion. */
  delete(secretId: string): void {
    this.#find(secretId).deletedAt = new Date()
  }

  #find(secretId: string): Secret {
    const secret = this.#store.find(secretId)
    if (secret === undefined) throw new Error(`The stand-in has no secret "${secretId}"; create it first`)
    return secret
  }
}

/** Refuses what is not signed with SigV4 for this service; the signature itself is not verified. */
function checkSignature(headers: IncomingHttpHeaders): void {
  const { authorization } = headers
  if (authorization === undefined) throw new SecretsManagerError('MissingAuthenticationTokenException')
  const scope =
    /^AWS4-HMAC-SHA256 Credential=[^/,\s]+\/\d{8}\/[a-z\d-]+\/([a-z\d-]+)\/aws4_request, ?SignedHeaders=[a-z\d;-]+, ?Signature=[\da-f]{64}$/.exec(
      authorization,
    )
  if (scope === null || headers['x-amz-date'] === undefined) {
    throw new SecretsManagerError('IncompleteSignatureException')
  }
  if (scope[1] !== 'secretsmanager') throw new SecretsManagerError('InvalidSignatureException')
}

async function readMembers(request: IncomingMessage): Promise<Request> {
  const body: unknown = await json(request).catch(() => undefined)
  if (typeof body !== 'object' || body === null) throw new SecretsManagerError('SerializationException')
  return { ...body }
}

function answer(response: ServerResponse, status: number, members: object): void {
  const headers = { 'Content-Type': 'application/x-amz-json-1.1', 'x-amzn-RequestId': crypto.randomUUID() }
  answerJson(response, status, members, headers)
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
