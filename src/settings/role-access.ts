/** What a request to AWS needs without the AWS SDK, in the plain case: the role's keys and AWS's own endpoint. */
import type { Environment } from '../base/environment-variables.ts'
import { Password } from '../base/password.ts'
import { secretRegion } from './secret-region.ts'

/** The services that are asked, as signatures name them, and the variable for the endpoint of each. */
const ENDPOINT_VARIABLES = { secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER', sts: 'AWS_ENDPOINT_URL_STS' } as const
export type AwsService = keyof typeof ENDPOINT_VARIABLES

/** The endpoint of a service, and the keys of the execution role. */
export interface RoleAccess {
  readonly service: AwsService
  readonly region: string
  readonly endpoint: URL
  readonly accessKeyId: string
  readonly secretAccessKey: Password
  readonly sessionToken: Password | undefined
}

/** With each of these the SDK uses other keys or another endpoint, by rules of its own. */
const LEFT_TO_THE_SDK = [
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'AWS_USE_FIPS_ENDPOINT',
]

/** Regions below amazonaws.com; the partitions with another domain are left to the SDK, which has a table of them. */
const PLAIN_REGION = /^(?!cn-)[a-z]{2}(-gov)?-(north|south|east|west|central){1,2}-\d$/

function endpointOf(environment: Environment, service: AwsService, region: string): URL | undefined {
  const text = environment[ENDPOINT_VARIABLES[service]] ?? environment.AWS_ENDPOINT_URL
  if (text === undefined) {
    return PLAIN_REGION.test(region) ? new URL(`https://${service}.${region}.amazonaws.com`) : undefined
  }
  const url = URL.parse(text)
  return url !== null && /^https?:\/\/[^/?#@]+\/?$/.test(text) ? url : undefined
}

/**
 * Reads the keys that Lambda puts into the environment; undefined if the rules of the SDK are needed.
 *
 * @param secretId the region of an ARN has precedence.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
 */
export function readRoleAccess(
  environment: Environment,
  secretId?: string,
  service: AwsService = 'secretsmanager',
): RoleAccess | undefined {
  const { AWS_REGION: ownRegion, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: key } = environment
  const region = secretRegion(secretId) ?? ownRegion
  if (environment.AWS_LAMBDA_FUNCTION_NAME === undefined) return undefined
  if (region === undefined || accessKeyId === undefined || key === undefined) return undefined
  if (LEFT_TO_THE_SDK.some((name) => environment[name] !== undefined)) return undefined
  const endpoint = endpointOf(environment, service, region)
  if (endpoint === undefined) return undefined
  const token = environment.AWS_SESSION_TOKEN
  const sessionToken = token === undefined ? undefined : new Password(token)
  return { service, region, endpoint, accessKeyId, secretAccessKey: new Password(key), sessionToken }
}
