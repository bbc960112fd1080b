/** A cluster that admits web identity tokens, and the STS that makes them. */
import { JwtAuthentication, type JwtSettings } from '../../local/cloud/jwt-authentication.ts'
import type { CloudStandInOptions } from '../../local/cloud/stand-in.ts'
import { ROLE_ARN } from '../../local/sts/issuer.ts'
import { StsStandIn } from '../../local/sts/stand-in.ts'
import { openCloud, type TestCloud } from './database.ts'
import { TemporaryFolder } from './temporary-folder.ts'

export interface JwtCloud extends AsyncDisposable {
  readonly cloud: TestCloud
  readonly sts: StsStandIn
  readonly cluster: JwtAuthentication
  /** What a function's environment has, beside the server's name. */
  readonly environment: Readonly<Record<string, string>>
}

/** The key that the stand-in verifies signatures with. */
export const SECRET_ACCESS_KEY = 'local-secret-access-key'

/** The settings of a cluster that admits the role as this user. */
export function jwtSettings(sts: StsStandIn, audience: string, user: string): JwtSettings {
  return {
    enabled: true,
    issuers: [sts.issuer.url],
    audiences: [audience],
    claim: '',
    jwks: { keys: [] },
    keySetUrl: sts.keySetUrl,
    identityMap: [{ issuer: sts.issuer.url, principal: ROLE_ARN, user }],
  }
}

/** The audience is the host's name, and the role is mapped to the test's user. */
export async function openJwtCloud(options: Partial<CloudStandInOptions> = {}): Promise<JwtCloud> {
  const cloud = await openCloud(options)
  const sts = await StsStandIn.start(SECRET_ACCESS_KEY)
  // For the certificates' files of connectionString().
  const folder = await TemporaryFolder.open()
  await cloud.postgres.askInClearText(cloud.user)
  const cluster = new JwtAuthentication(
    jwtSettings(sts, cloud.host, cloud.user),
    new Map([[cloud.user, cloud.password]]),
  )
  cloud.standIn.exchangePassword = cluster.exchange
  return {
    ...{ cloud, sts, cluster },
    environment: {
      AWS_LAMBDA_FUNCTION_NAME: 'orders',
      AWS_REGION: 'ap-southeast-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      AWS_SESSION_TOKEN: 'not-a-real-session-token',
      AWS_ENDPOINT_URL_STS: sts.url,
    },
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await sts.stop()
      await cloud[Symbol.asyncDispose]()
    },
  }
}
