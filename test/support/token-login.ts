/** A cluster that admits a user by web identity tokens, and the STS that makes them. */
import { JwtAuthentication } from '../../local/cloud/jwt-authentication.ts'
import type { CloudStandIn } from '../../local/cloud/stand-in.ts'
import type { PostgresAdmin } from '../../local/postgres/admin.ts'
import { ROLE_ARN } from '../../local/sts/issuer.ts'
import { StsStandIn } from '../../local/sts/stand-in.ts'

/** The key of the local execution environments, with which the stand-in verifies signatures. */
export const SECRET_ACCESS_KEY = 'local-secret-access-key'

export interface TokenLoginParts {
  readonly cloud: CloudStandIn
  readonly postgres: PostgresAdmin
  /** What tokens have to be for. */
  readonly audience: string
  readonly user: string
  /** What PostgreSQL knows the user by. */
  readonly password: string
}

export interface TokenLogin {
  readonly sts: StsStandIn
  readonly cluster: JwtAuthentication
}

/** From now on the stand-in's cluster takes the user's password for a token, if the client says so. */
export async function startTokenLogin(parts: TokenLoginParts): Promise<TokenLogin> {
  const { cloud, postgres, audience, user, password } = parts
  const sts = await StsStandIn.start(SECRET_ACCESS_KEY)
  await postgres.askInClearText(user)
  const { url: issuer } = sts.issuer
  const settings = {
    ...{ enabled: true, issuers: [issuer], audiences: [audience], claim: '' },
    ...{ jwks: { keys: [] }, keySetUrl: sts.keySetUrl },
    identityMap: [{ issuer, principal: ROLE_ARN, user }],
  }
  const cluster = new JwtAuthentication(settings, new Map([[user, password]]))
  cloud.exchangePassword = cluster.exchange
  return { sts, cluster }
}
