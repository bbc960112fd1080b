/** The issuer of an account's web identity tokens: signs them with real keys, and publishes the public ones. */
import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, SignJWT } from 'jose'

export interface TokenRequest {
  readonly audiences: readonly string[]
  readonly durationSeconds: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The ARN of the execution role that the claim `sub` has. */
export const ROLE_ARN = 'arn:aws:iam::123456789012:role/service-role/local-role'

const ALGORITHM = 'ES384'

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>

export class TokenIssuer {
  /** The claim `iss`. */
  readonly url = 'https://4c1b8c2a-7f0d-4a55-9a52-3f6f3e0f6a11.tokens.sts.global.api.aws'
  #privateKey: KeyPair['privateKey']
  #publicKey: JWK

  private constructor(privateKey: KeyPair['privateKey'], publicKey: JWK) {
    this.#privateKey = privateKey
    this.#publicKey = publicKey
  }

  static async create(): Promise<TokenIssuer> {
    const { privateKey, publicKey } = await newKeys()
    return new TokenIssuer(privateKey, publicKey)
  }

  /** What `/.well-known/jwks.json` has. */
  get keySet(): JSONWebKeySet {
    return { keys: [this.#publicKey] }
  }

  /** Signs with another key from now on; the key set has that one alone. */
  async replaceKey(): Promise<void> {
    const { privateKey, publicKey } = await newKeys()
    this.#privateKey = privateKey
    this.#publicKey = publicKey
  }

  async token({ audiences, durationSeconds, now }: TokenRequest): Promise<string> {
    const issuedAt = Math.floor(now / 1000)
    const claims = { 'https://sts.amazonaws.com/': { aws_account: '123456789012', source_region: 'ap-southeast-1' } }
    return await new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid: String(this.#publicKey.kid), typ: 'JWT' })
      .setIssuer(this.url)
      .setSubject(ROLE_ARN)
      .setAudience(audiences.length === 1 ? String(audiences[0]) : [...audiences])
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + durationSeconds)
      .setJti(randomUUID())
      .sign(this.#privateKey)
  }
}

async function newKeys(): Promise<{ privateKey: KeyPair['privateKey']; publicKey: JWK }> {
  const pair = await generateKeyPair(ALGORITHM)
  const jwk = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { privateKey: pair.privateKey, publicKey: { ...jwk, kid, alg: ALGORITHM, use: 'sig' } }
}
