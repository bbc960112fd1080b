/** Where a secret is: Secrets Manager answers for the secrets of its own region alone. */

/** The region that an ARN names; undefined for a name, which is one of the caller's own region. */
export function secretRegion(secretId: string | undefined): string | undefined {
  return /^arn:[^:]*:secretsmanager:([a-z\d-]+):/.exec(secretId ?? '')?.[1]
}
