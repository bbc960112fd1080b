/** The AWS Parameters and Secrets Lambda extension on loopback: `GET /secretsmanager/get`, cached for 300 s. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type GetSecretValueCommandOutput,
  SecretsManager,
  SecretsManagerServiceException,
} from '@aws-sdk/client-secrets-manager'
import { LoopbackHttpServer } from '../loopback/http-server.ts'

/**
 * `broken` answers 500, `silent` nothing, `absent` resets every connection as if nothing listened, `notReady` answers 400
 * as during init.
 */
export type ExtensionState = 'ready' | 'notReady' | 'broken' | 'silent' | 'absent'

export interface SecretsExtensionOptions {
  /** The address of Secrets Manager, or of its stand-in. */
  readonly secretsManagerUrl: string
  /** AWS_SESSION_TOKEN, which callers must send as X-Aws-Parameters-Secrets-Token. */
  readonly sessionToken: string
  /** SECRETS_MANAGER_TTL. @default 300 */
  readonly ttlSeconds?: number
}

interface CachedValue {
  readonly body: string
  readonly expiresAt: number
}

/** The extension's HTTP side; callers find it by PARAMETERS_SECRETS_EXTENSION_HTTP_PORT. */
export class SecretsExtensionStandIn {
  state: ExtensionState = 'ready'
  /** How many answers came from the cache. */
  cacheHits = 0
  #server: LoopbackHttpServer | undefined
  readonly #cache = new Map<string, CachedValue>()
  readonly #client: SecretsManager
  readonly #sessionToken: string
  readonly #ttlMs: number

  private constructor({ secretsManagerUrl, sessionToken, ttlSeconds = 300 }: SecretsExtensionOptions) {
    this.#sessionToken = sessionToken
    this.#ttlMs = ttlSeconds * 1000
    this.#client = new SecretsManager({
      endpoint: secretsManagerUrl,
      region: 'us-east-1',
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'local', sessionToken },
      maxAttempts: 1,
    })
  }

  static async start(options: SecretsExtensionOptions): Promise<SecretsExtensionStandIn> {
    const standIn = new SecretsExtensionStandIn(options)
    standIn.#server = await LoopbackHttpServer.start((request, response) => standIn.#handle(request, response))
    return standIn
  }

  /** The value of PARAMETERS_SECRETS_EXTENSION_HTTP_PORT (2773 on AWS). */
  get port(): number {
    return this.#server?.port ?? 0
  }

  async stop(): Promise<void> {
    this.#client.destroy()
    await this.#server?.stop()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.state === 'absent') {
      request.socket.resetAndDestroy()
      return
    }
    if (this.state === 'silent') return
    if (this.state === 'broken') return answer(response, 500, 'unexpected error')
    if (this.state === 'notReady') return answer(response, 400, 'not ready to serve traffic, please wait')
    if (request.headers['x-aws-parameters-secrets-token'] !== this.#sessionToken) {
      return answer(response, 401, 'not authorized to use this endpoint')
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    if (request.method !== 'GET' || !/^\/secretsmanager\/get\/?$/.test(pathname)) {
      return answer(response, 404, '404 page not found')
    }
    const SecretId = searchParams.get('secretId')
    if (SecretId === null || SecretId === '') return answer(response, 400, 'secretId is missing')
    await this.#answerSecret(response, {
      SecretId,
      VersionId: searchParams.get('versionId') ?? undefined,
      VersionStage: searchParams.get('versionStage') ?? undefined,
    })
  }

  async #answerSecret(response: ServerResponse, query: Parameters<SecretsManager['getSecretValue']>[0]): Promise<void> {
    const key = JSON.stringify(query)
    const cached = this.#cache.get(key)
    if (cached !== undefined && cached.expiresAt > Date.now()) {
      this.cacheHits += 1
      return answer(response, 200, cached.body)
    }
    try {
      const body = toBody(await this.#client.getSecretValue(query))
      this.#cache.set(key, { body, expiresAt: Date.now() + this.#ttlMs })
      answer(response, 200, body)
    } catch (error) {
      // The extension is a Go program, and answers with the Go SDK's texts.
      const isAnswer = error instanceof SecretsManagerServiceException
      const status = isAnswer ? (error.$metadata.httpStatusCode ?? 500) : 500
      const reason = isAnswer ? `${error.name}: ${error.message}` : 'request send failed'
      answer(response, status, `operation error Secrets Manager: GetSecretValue, StatusCode: ${status}, ${reason}`)
    }
  }
}

function toBody({ $metadata: _, SecretBinary, ...members }: GetSecretValueCommandOutput): string {
  const binary = SecretBinary === undefined ? null : Buffer.from(SecretBinary).toString('base64')
  return JSON.stringify({ ...members, SecretBinary: binary, ResultMetadata: {} })
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'Content-Type': status === 200 ? 'application/json' : 'text/plain' }).end(body)
}
