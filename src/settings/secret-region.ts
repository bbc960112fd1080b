/** The region of a secret: Secrets Manager returns only the secrets of its own region. */

/** The region that an ARN names; undefined for a name, which is looked up in the caller's own region. */
export function secretRegion(secretId: string | undefined): string | undefined {
  // A name needs no expression, which V8 would compile in every cold start.
  if (secretId?.startsWith('arn:') !== true) return undefined
  return /^arn:[^:]*:secretsmanager:([a-z\d-]+):/.exec(secretId)?.[1]
}
