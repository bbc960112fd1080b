/** The hint for a secret that needs another value. */

/** @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html */
const ARN_REGION = /^arn:[^:]+:secretsmanager:([^:]+):/

/**
 * The command is to be copied into a terminal: with the region when the secret's ARN names it, since the terminal's may
 * differ, and with the value in a file, since a shell records what is typed.
 *
 * @param secretId name or ARN
 */
export function putSecretValueHint(secretId: string): string {
  const region = ARN_REGION.exec(secretId)?.[1]
  const inRegion = region === undefined ? '' : ` --region ${region}`
  return `Write the connection string to secret.txt, then: aws secretsmanager put-secret-value${inRegion} --secret-id ${secretId} --secret-string file://secret.txt && rm secret.txt`
}
