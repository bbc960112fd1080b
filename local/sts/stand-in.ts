/** AWS STS on loopback, for GetWebIdentityToken alone; found by AWS_ENDPOINT_URL_STS. It publishes its key set too. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerJson, LoopbackHttpServer } from '../loopback/http-server.ts'
import { StsError, type StsErrorCode } from './errors.ts'
import { TokenIssuer } from './issuer.ts'
import { verifySignature } from './signature.ts'

/** How a request can be made to fail: one of AWS's errors, a connection that is reset, or no answer at all. */
export type StsFault = StsErrorCode | 'connection reset' | 'silence'

/** What the role's policy allows: the conditions that AWS has for this action. */
export interface RolePolicy {
  /** `sts:IdentityTokenAudience`. @default any */
  readonly audiences?: readonly string[]
  /** `sts:DurationSeconds`. @default 3600 */
  readonly mostSeconds?: number
  /** `sts:SigningAlgorithm`. @default any */
  readonly signingAlgorithm?: 'ES384' | 'RS256'
}

/** The key of the local execution environments: see `local/lambda/environment-variables.ts`. */
const SECRET_ACCESS_KEY = 'local-secret-access-key'

export class StsStandIn {
  readonly issuer: TokenIssuer
  /** When tokens were asked for, in milliseconds since the epoch. */
  readonly requestTimes: number[] = []
  /** Every token that was made, oldest first. */
  readonly tokens: string[] = []
  /** Delays every answer, in milliseconds. */
  delayMs = 0
  /** The clock of AWS, and of the tokens, is ahead by this much, in milliseconds. */
  clockAheadMs = 0
  policy: RolePolicy = {}
  /** Awaited before each answer. */
  beforeAnswer: (() => Promise<void>) | undefined
  /** False: the account's issuer is not switched on. */
  isFederationEnabled = true
  readonly #secretAccessKey: string
  #server: LoopbackHttpServer | undefined
  #fault: StsFault | undefined
  #faultsLeft = 0

  private constructor(issuer: TokenIssuer, secretAccessKey: string) {
    this.issuer = issuer
    this.#secretAccessKey = secretAccessKey
  }

  /** @param secretAccessKey that callers sign with. */
  static async start(secretAccessKey: string = SECRET_ACCESS_KEY): Promise<StsStandIn> {
    const standIn = new StsStandIn(await TokenIssuer.create(), secretAccessKey)
    standIn.#server = await LoopbackHttpServer.start((request, response) => standIn.#handle(request, response))
    return standIn
  }

  /** The value of AWS_ENDPOINT_URL_STS. */
  get url(): string {
    return this.#server?.url ?? ''
  }

  /** Where the issuer's keys are. */
  get keySetUrl(): string {
    return `${this.url}/.well-known/jwks.json`
  }

  /** The next `count` requests fail. */
  failNext(count: number, fault: StsFault): void {
    this.#fault = fault
    this.#faultsLeft = count
  }

  /** Every request fails, until called with `undefined`. */
  failWith(fault: StsFault | undefined): void {
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
    if (request.method === 'GET' && request.url === '/.well-known/jwks.json') {
      answerJson(response, 200, this.issuer.keySet)
      return
    }
    try {
      const body = await text(request)
      this.requestTimes.push(Date.now())
      const fault = this.#takeFault()
      if (this.delayMs > 0) await sleep(this.delayMs)
      await this.beforeAnswer?.()
      if (fault === 'silence') return
      if (fault === 'connection reset') {
        request.socket.resetAndDestroy()
        return
      }
      const signer = { secretAccessKey: this.#secretAccessKey, service: 'sts' }
      verifySignature({ headers: request.headers, body }, signer, this.#now())
      if (fault !== undefined) throw new StsError(fault)
      answerXml(response, 200, await this.#getWebIdentityToken(new URLSearchParams(body)))
    } catch (cause) {
      const error = cause instanceof StsError ? cause : new StsError('InternalFailure')
      answerXml(response, error.status, errorResponse(error))
    }
  }

  async #getWebIdentityToken(parameters: URLSearchParams): Promise<string> {
    if (parameters.get('Action') !== 'GetWebIdentityToken' || parameters.get('Version') !== '2011-06-15') {
      throw new StsError('InvalidAction')
    }
    const audiences = [...parameters].flatMap(([name, value]) => (/^Audience\.member\.\d+$/.test(name) ? [value] : []))
    const durationSeconds = Number(parameters.get('DurationSeconds') ?? 300)
    const algorithm = parameters.get('SigningAlgorithm')
    const isValid =
      audiences.length >= 1 &&
      audiences.length <= 10 &&
      audiences.every((audience) => audience.length >= 1 && audience.length <= 1000) &&
      durationSeconds >= 60 &&
      durationSeconds <= 3600
    if (!isValid || (algorithm !== 'ES384' && algorithm !== 'RS256')) throw new StsError('ValidationError')
    const { audiences: allowed, mostSeconds = 3600, signingAlgorithm = algorithm } = this.policy
    const isAllowed = allowed === undefined || audiences.every((audience) => allowed.includes(audience))
    if (!isAllowed || durationSeconds > mostSeconds || algorithm !== signingAlgorithm)
      throw new StsError('AccessDenied')
    if (!this.isFederationEnabled) throw new StsError('OutboundWebIdentityFederationDisabled')
    const now = this.#now()
    const token = await this.issuer.token({ audiences, durationSeconds, now })
    this.tokens.push(token)
    const expiration = new Date(now + durationSeconds * 1000).toISOString()
    return `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetWebIdentityTokenResult>
    <WebIdentityToken>${token}</WebIdentityToken>
    <Expiration>${expiration}</Expiration>
  </GetWebIdentityTokenResult>
  <ResponseMetadata><RequestId>${crypto.randomUUID()}</RequestId></ResponseMetadata>
</GetWebIdentityTokenResponse>`
  }

  #now(): number {
    return Date.now() + this.clockAheadMs
  }

  #takeFault(): StsFault | undefined {
    if (this.#faultsLeft === 0) return undefined
    this.#faultsLeft -= 1
    return this.#fault
  }
}

function errorResponse({ code, message, status }: StsError): string {
  const type = status < 500 ? 'Sender' : 'Receiver'
  return `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>${type}</Type>
    <Code>${code}</Code>
    <Message>${message}</Message>
  </Error>
  <RequestId>${crypto.randomUUID()}</RequestId>
</ErrorResponse>`
}

function answerXml(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'Content-Type': 'text/xml' }).end(xml)
}
