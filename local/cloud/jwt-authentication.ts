/**
 * CockroachDB's JWT authentication for SQL, with its cluster settings; in front of users whom PostgreSQL asks for their
 * password in clear text.
 *
 * @see https://www.cockroachlabs.com/docs/stable/sso-sql
 */
import { createLocalJWKSet, decodeJwt, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose'
import type { ClearTextLogin, PasswordExchange } from './password-exchange.ts'
import type { FatalError } from './wire-protocol.ts'

/** The flag of `options` that has the password taken for a token; without it the password is one. */
export const TOKEN_FLAG = '--crdb:jwt_auth_enabled=true'

/** A line of `server.identity_map.configuration`. */
interface IdentityMapping {
  readonly issuer: string
  /** What the claim must be: a text, or a regular expression that begins with a slash. */
  readonly principal: string
  readonly user: string
}

/** The cluster settings `server.jwt_authentication.…`; may be changed at any time. */
export interface JwtSettings {
  enabled: boolean
  /** `issuers.configuration`. */
  issuers: readonly string[]
  /** `audience`. */
  audiences: readonly string[]
  /** `claim`; empty for `sub`. */
  claim: string
  /** `jwks`. */
  jwks: JSONWebKeySet
  /** Where the keys are fetched from at each login: `jwks_auto_fetch.enabled`. */
  keySetUrl: string | undefined
  /** `server.identity_map.configuration`. */
  identityMap: readonly IdentityMapping[]
}

const RESERVED_USERS = ['root', 'node']
const ASYMMETRIC = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512']

/** A refusal in CockroachDB's words. */
class Refusal extends Error {
  readonly detail: string

  constructor(message: string, detail: string) {
    super(`JWT authentication: ${message}`)
    this.detail = detail
  }
}

export class JwtAuthentication {
  readonly settings: JwtSettings
  /** The clock of the cluster is ahead by this much, in milliseconds. */
  clockAheadMs = 0
  /** What PostgreSQL knows the SQL users by. */
  readonly #passwords: ReadonlyMap<string, string>

  constructor(settings: JwtSettings, passwords: ReadonlyMap<string, string>) {
    this.settings = settings
    this.#passwords = passwords
  }

  readonly exchange: PasswordExchange = async (login) => {
    if (!login.options.includes(TOKEN_FLAG)) return login.password
    const password = this.#passwords.get(login.user)
    if (password === undefined) {
      return { sqlstate: '28P01', message: `password authentication failed for user ${login.user}` }
    }
    try {
      await this.#check(login)
      return password
    } catch (error) {
      if (error instanceof Refusal) return refusalOf(error)
      throw error
    }
  }

  async #check({ user, password: token }: ClearTextLogin): Promise<void> {
    const { enabled, issuers, audiences } = this.settings
    if (!enabled) throw new Refusal('not enabled', 'server.jwt_authentication.enabled is off')
    const { iss = '' } = read(token)
    if (!issuers.includes(iss)) throw new Refusal('invalid issuer', `token issued by ${iss}`)
    const claims = await this.#verify(token, await this.#keySet())
    const principal = this.#principal(claims)
    const users = this.settings.identityMap
      .filter((line) => line.issuer === iss && matches(line.principal, principal))
      .map((line) => line.user)
    if (users.length === 0)
      throw new Refusal('invalid principal', `token issued for ${principal}, login was for ${user}`)
    if (!users.includes(user) || RESERVED_USERS.includes(user)) {
      throw new Refusal('invalid identity', `token issued for ${principal} and login was for ${user}`)
    }
    const own = [claims.aud ?? []].flat()
    if (!own.some((audience) => audiences.includes(audience))) {
      throw new Refusal('invalid audience', `token issued with an audience of ${own.join(', ')}`)
    }
  }

  async #keySet(): Promise<JSONWebKeySet> {
    const { jwks, keySetUrl } = this.settings
    if (keySetUrl === undefined) return jwks
    try {
      const answer = await fetch(keySetUrl)
      // Checked where the keys are used.
      return (await answer.json()) as JSONWebKeySet
    } catch {
      throw new Refusal('unable to validate token', `unable to fetch jwks from ${keySetUrl}`)
    }
  }

  async #verify(token: string, keySet: JSONWebKeySet): Promise<JWTPayload> {
    const currentDate = new Date(Date.now() + this.clockAheadMs)
    try {
      const { payload } = await jwtVerify(token, createLocalJWKSet(keySet), {
        ...{ algorithms: ASYMMETRIC, clockTolerance: 0, requiredClaims: ['exp', 'iat'], currentDate },
      })
      if (Number(payload.iat) * 1000 > currentDate.getTime()) throw new errors.JWTInvalid('"iat" not satisfied')
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError)
        throw new Refusal('invalid token', `unable to parse token: ${error.message}`)
      throw error
    }
  }

  #principal(claims: JWTPayload): string {
    const name = this.settings.claim === '' ? 'sub' : this.settings.claim
    const value = claims[name]
    if (value === undefined) throw new Refusal('missing claim', `token does not contain a claim for ${name}`)
    if (typeof value === 'string') return value
    throw new Refusal('invalid claim value', `expected claim to be a string: ${name}`)
  }
}

function read(token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch {
    throw new Refusal('invalid token', 'token parsing failed')
  }
}

function matches(expected: string, principal: string): boolean {
  if (!expected.startsWith('/')) return expected === principal
  return new RegExp(expected.slice(1)).test(principal)
}

function refusalOf({ message, detail }: Refusal): FatalError {
  return { sqlstate: '28000', message, detail }
}
