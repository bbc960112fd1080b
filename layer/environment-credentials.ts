/** The layer's stand-in for the AWS SDK's credential chain: Lambda provides credentials in two ways only, so profiles, SSO and the rest are left out. */
import { fromHttp } from '@aws-sdk/credential-provider-http'

interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  readonly expiration?: Date
}

/**
 * Replaces `@aws-sdk/credential-provider-node` in the layer's bundle.
 * Reads the execution role's keys when called, not when loaded; where Lambda serves them over loopback HTTP instead, requests them there.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function defaultProvider(): () => Promise<Credentials> {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env
    if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
      return {
        accessKeyId: AWS_ACCESS_KEY_ID,
        secretAccessKey: AWS_SECRET_ACCESS_KEY,
        ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
      }
    }
    if (process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI) return fromHttp()()
    throw new Error('no AWS credentials: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set')
  }
}
