/** The region of a secret: Secrets Manager returns only the secrets of its own region. */

/** The region that an ARN names; undefined for a name, which is looked up in the caller's own region. */
export function secretRegion(secretId: string | undefined): string | undefined {
  return /^arn:[^:]*:secretsmanager:([a-z\d-]+):/.exec(secretId ?? '')?.[1]
}
