/**
 * The web identity token that AWS STS makes for the function's role, and what CockroachDB says about it. A file of its
 * own in the layer, loaded with `auth: 'jwt'` only; what it needs of other modules it is given.
 */
import type { Backoff } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { ConnectionError } from '../base/connection-error.ts'
import type { Answer } from '../secret/reader/exchange.ts'

export interface TokenParts {
  /** Posts a signed request to STS, and rejects when there is no answer; undefined without the keys of a role. */
  readonly post: (body: string, signal: AbortSignal) => Promise<Answer> | undefined
  /** Makes words of AWS fit to be shown. */
  readonly shown: (text: string) => string
  readonly waitMs: (attempt: number, backoff: Backoff) => number
  readonly clock: Pick<Clock, 'now' | 'steadyNow' | 'sleep'>
  /** True before a SnapStart snapshot: a token of then is used once, and not kept. */
  readonly isForSnapshot: () => boolean
  /** For one token, with all attempts, in milliseconds. */
  readonly limitMs: number
}

/** A token, and when it was asked for, on the steady clock in milliseconds. */
interface MintedToken {
  readonly token: string
  readonly audience: string
  readonly askedAt: number
  readonly isForSnapshot: boolean
  /** For how long it may be used from then on, in milliseconds. */
  readonly usableMs: number
}

const LIFETIME_MS = 300_000
/** Of that, for the login itself and for clocks that differ: CockroachDB tolerates no difference. */
const SPARE_MS = 60_000
const MOST_ATTEMPTS = 3
const BACKOFF: Backoff = { baseMs: 100, capMs: 1000 }

const CLOCK = 'AWS does not accept the keys of this process: is its clock right, and are they still valid?'
const NETWORK =
  'Can the function reach STS in its region? In a VPC it needs a NAT gateway or the interface endpoint for sts.'

/** By the code of STS's error; the first that matches. @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html */
const STS_HINTS: readonly (readonly [RegExp, string])[] = [
  [/^AccessDenied/, "Allow sts:GetWebIdentityToken in the function's role, for this audience, ES384 and 300 s."],
  [
    /^OutboundWebIdentityFederationDisabled/,
    'Run once in this account: aws iam enable-outbound-web-identity-federation',
  ],
  [/^SessionDurationEscalation/, "The role's session ends before a token of 300 s would."],
  [/^JWTPayloadSizeExceeded/, 'The role has too many tags for a token.'],
  [/^Validation/, 'AWS takes audiences of 1 to 1,000 characters: is jwtAudience one?'],
  [/Signature|Token|Expired|AuthFailure/, CLOCK],
  [/Throttl|Internal|Unavailable/, 'STS throttles or fails; many execution environments may be starting at once.'],
]

/** By what follows `JWT authentication: `, with the setting to change; the first that occurs. */
const REFUSAL_HINTS: readonly (readonly [string, string])[] = [
  ['not enabled', 'SET CLUSTER SETTING server.jwt_authentication.enabled = true'],
  ['invalid token', 'Is the clock of the cluster right, and has server.jwt_authentication.jwks the key of the token?'],
  [
    'invalid issuer',
    "Add the account's issuer, without a slash at its end, to server.jwt_authentication.issuers.configuration: aws iam get-outbound-web-identity-federation-info",
  ],
  ['unable to validate', "Can the cluster reach the issuer's keys? server.jwt_authentication.jwks_auto_fetch.enabled"],
  ['claim', 'Leave server.jwt_authentication.claim empty: the claim sub is the ARN of the role.'],
  ['invalid principal', "Map the ARN of the function's role to this SQL user in server.identity_map.configuration."],
  ['invalid identity', "server.identity_map.configuration maps the ARN of the function's role to another SQL user."],
  ['invalid audience', 'Add the audience to server.jwt_authentication.audience, or set COCKROACH_JWT_AUDIENCE: '],
  ['', 'Does the SQL user exist, and may it log in?'],
]

function unavailable(message: string, hint: string, cause?: unknown): ConnectionError {
  const options = { hint, safeToRetry: true, ...(cause !== undefined && { cause }) }
  return new ConnectionError('ERR_PASSWORD_UNAVAILABLE', `GetWebIdentityToken failed: ${message}`, options)
}

/** The text of an element that occurs once. */
function elementOf(xml: string, name: string, form: string): string | undefined {
  const found = [...xml.matchAll(new RegExp(`<${name}>(${form})</${name}>`, 'g'))]
  return found.length === 1 ? found[0]?.[1] : undefined
}

export class JwtSource {
  readonly #parts: TokenParts
  #kept: MintedToken | undefined
  #minting: Promise<MintedToken> | undefined

  constructor(parts: TokenParts) {
    this.#parts = parts
  }

  /**
   * For a new connection.
   *
   * @throws ConnectionError `ERR_PASSWORD_UNAVAILABLE`
   */
  async token(audience: string): Promise<string> {
    const kept = this.#kept
    if (kept?.audience === audience && this.#ageMs(kept) < kept.usableMs) return kept.token
    // One that others asked for, in an earlier invocation perhaps, may have failed for a reason that is gone.
    const isShared = this.#minting !== undefined
    const minted = await this.#mint(audience).catch((error: unknown) => {
      if (isShared) return this.#mint(audience)
      throw error
    })
    // The function was frozen, or its snapshot restored, before the answer was read.
    const isLate = this.#ageMs(minted) > SPARE_MS || minted.isForSnapshot !== this.#parts.isForSnapshot()
    return isLate || minted.audience !== audience ? (await this.#mint(audience)).token : minted.token
  }

  /** The error of an answer that did not come in time. */
  timedOut(cause: Error): ConnectionError {
    return unavailable(cause.message, NETWORK, cause)
  }

  /** A new one, if a refusal may be about the age of the one before; undefined otherwise. */
  async renewed(audience: string, refusal: ConnectionError): Promise<string | undefined> {
    if (!refusal.message.includes('JWT authentication: invalid token')) return undefined
    this.#kept = undefined
    return await this.token(audience)
  }

  /** A refusal with the setting to change. */
  explained(audience: string, { code, message, cause }: ConnectionError): ConnectionError {
    const [, reason = ''] = message.split('JWT authentication: ')
    const [known = '', hint = ''] = REFUSAL_HINTS.find(([text]) => reason.includes(text)) ?? []
    const named = known === 'invalid audience' ? `${hint}${audience}` : hint
    return new ConnectionError(code, message, { cause, hint: named, safeToRetry: true })
  }

  #ageMs({ askedAt }: MintedToken): number {
    return this.#parts.clock.steadyNow() - askedAt
  }

  /** One at a time. */
  #mint(audience: string): Promise<MintedToken> {
    this.#minting ??= this.#askRepeatedly(audience).finally(() => {
      this.#minting = undefined
    })
    return this.#minting
  }

  async #askRepeatedly(audience: string): Promise<MintedToken> {
    const { clock, waitMs, limitMs } = this.#parts
    const signal = AbortSignal.timeout(limitMs)
    for (let attempt = 0; ; attempt += 1) {
      const isLast = attempt + 1 >= MOST_ATTEMPTS || signal.aborted
      const minted = await this.#ask(audience, signal, isLast)
      if (minted !== undefined) return minted
      await clock.sleep(waitMs(attempt, BACKOFF))
    }
  }

  /** @returns undefined for a failure that may end by itself, unless this is the last attempt */
  async #ask(audience: string, signal: AbortSignal, isLast: boolean): Promise<MintedToken | undefined> {
    const { post, shown, clock, isForSnapshot } = this.#parts
    const body = new URLSearchParams({
      Action: 'GetWebIdentityToken',
      Version: '2011-06-15',
      'Audience.member.1': audience,
      SigningAlgorithm: 'ES384',
      DurationSeconds: String(LIFETIME_MS / 1000),
    })
    const asked = { audience, askedAt: clock.steadyNow(), isForSnapshot: isForSnapshot() }
    const now = clock.now()
    const posted = post(String(body), signal)
    if (posted === undefined) {
      throw new ConnectionError(
        'ERR_CONFIG',
        'auth is "jwt", and this is no Lambda function with AWS_REGION and the keys of a role',
        {
          ...{ hint: 'Outside Lambda, pass a function that asks STS as option password.', safeToRetry: true },
        },
      )
    }
    const answer = await posted.catch((error: NodeJS.ErrnoException) => {
      if (!isLast) return undefined
      throw unavailable(shown(error.message || String(error.code)), NETWORK)
    })
    if (answer === undefined) return undefined
    const { statusCode, body: xml } = answer
    const token = elementOf(xml, 'WebIdentityToken', String.raw`[\w-]+\.[\w-]+\.[\w-]+`)
    const expiresAt = Date.parse(elementOf(xml, 'Expiration', '[^<]{1,40}') ?? '')
    if (statusCode === 200 && token !== undefined && !Number.isNaN(expiresAt)) {
      // The clock here may differ from that of AWS.
      const usableMs = Math.min(LIFETIME_MS, expiresAt - now) - SPARE_MS
      const minted = { ...asked, token, usableMs }
      if (!asked.isForSnapshot) this.#kept = minted
      return minted
    }
    const code = elementOf(xml, 'Code', String.raw`\w{1,60}`) ?? 'unreadable answer'
    if (!isLast && (Number(statusCode) >= 500 || /Throttl/.test(code))) return undefined
    const hint = STS_HINTS.find(([pattern]) => pattern.test(code))?.[1] ?? NETWORK
    throw unavailable(shown(`${code} (${statusCode}): ${elementOf(xml, 'Message', '[^<]*') ?? ''}`), hint)
  }
}
