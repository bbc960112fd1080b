/** What the peers' documentation leaves to the function: the secret, read once. */
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'

export interface SecretConfig {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly ssl: { readonly ca: string }
}

let config: SecretConfig | undefined

export async function secretConfig(): Promise<SecretConfig> {
  if (config !== undefined) return config
  const client = new SecretsManagerClient({})
  const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: process.env.COCKROACH_SECRET_ID }))
  const { host, port, username, password, dbname, sslrootcert } = JSON.parse(SecretString ?? '{}')
  config = {
    host,
    port,
    user: username,
    password,
    database: `${host.split('.')[0]}.${dbname}`,
    ssl: { ca: sslrootcert },
  }
  return config
}
