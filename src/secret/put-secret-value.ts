/** The command that puts a value into a secret, for hints. */

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
const ARN_REGION = /^arn:[^:]+:secretsmanager:([^:]+):/

/**
 * To copy into a terminal: with the region when the secret's ARN names it, since the terminal's region may differ.
 *
 * @param secretId name or ARN
 * @param secretString the value, or a placeholder
 */
export function putSecretValueCommand(secretId: string, secretString: string): string {
  const region = ARN_REGION.exec(secretId)?.[1]
  const inRegion = region === undefined ? '' : ` --region ${region}`
  return `aws secretsmanager put-secret-value${inRegion} --secret-id ${secretId} --secret-string '${secretString}'`
}
