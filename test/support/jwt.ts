/** The stand-ins for a login by token in one process. */
import type { CloudStandInOptions } from '../../local/cloud/stand-in.ts'
import { openCloud, type TestCloud } from './database.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import { SECRET_ACCESS_KEY, startTokenLogin, type TokenLogin } from './token-login.ts'

export interface JwtCloud extends TokenLogin, AsyncDisposable {
  readonly cloud: TestCloud
  /** What a function's environment has, beside the server's name. */
  readonly environment: Readonly<Record<string, string>>
}

/** The audience is the host's name, and the role is mapped to the test's user. */
export async function openJwtCloud(options: Partial<CloudStandInOptions> = {}): Promise<JwtCloud> {
  const cloud = await openCloud(options)
  const { standIn, postgres, host: audience, user, password } = cloud
  const login = await startTokenLogin({ cloud: standIn, postgres, audience, user, password })
  // For the certificates' files of connectionString().
  const folder = await TemporaryFolder.open()
  return {
    ...login,
    cloud,
    environment: {
      AWS_LAMBDA_FUNCTION_NAME: 'orders',
      AWS_REGION: 'ap-southeast-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      AWS_SESSION_TOKEN: 'not-a-real-session-token',
      AWS_ENDPOINT_URL_STS: login.sts.url,
    },
    async [Symbol.asyncDispose]() {
      await folder[Symbol.asyncDispose]()
      await login.sts.stop()
      await cloud[Symbol.asyncDispose]()
    },
  }
}
