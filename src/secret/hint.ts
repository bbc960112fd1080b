/** The hint for an error of reading a secret, from Secrets Manager, the SDK or Node. */

const NETWORK = 'Can the function reach Secrets Manager? In a VPC it needs a NAT gateway or an interface endpoint.'
const KEY =
  'kms:Decrypt on a key of its own, in the function role (in CDK: CockroachDatabase, given that encryptionKey).'

/** By the exception's name, as the API reference lists them, or by Node's code; the first that matches. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^ResourceNotFoundException/, 'Is the secret in this region and account, under this very name or ARN?'],
  [/^AccessDeniedException/, `Allow secretsmanager:GetSecretValue on this secret, and ${KEY}`],
  [/^DecryptionFailure/, `Allow ${KEY}`],
  [/^InvalidRequestException/, 'Is the secret scheduled for deletion? restore-secret undoes that.'],
  [/^(InvalidParameter|Validation)Exception/, 'Is the secret id a name or a complete ARN?'],
  [
    /^(UnrecognizedClient|InvalidSignature)Exception/,
    'AWS does not accept the credentials of this process: are they of another account or expired, is the clock right?',
  ],
  [/^ExpiredToken/, 'The AWS credentials of this process have expired.'],
  [/^CredentialsProviderError/, 'No AWS credentials: outside Lambda, configure them as for the AWS CLI.'],
  [
    /^(Throttling|InternalService)/,
    'Secrets Manager throttles or fails; many execution environments may be starting at once.',
  ],
  [/ERR_INVALID_URL$/, 'Correct AWS_ENDPOINT_URL_SECRETS_MANAGER or AWS_ENDPOINT_URL.'],
  [/(ENOTFOUND|EAI_AGAIN)$/, `Is AWS_REGION right? ${NETWORK}`],
  [/^(Timeout|Abort)Error| E[A-Z]+$/, NETWORK],
  [/[A-Z]_[A-Z]/, 'Put the CA of a proxy into NODE_EXTRA_CA_CERTS.'],
]

export function secretHint(error: Error): string {
  const { name, message } = error
  // The SDK's errors about the region have neither a code nor a name.
  if (/^Region /.test(message)) return "Set AWS_REGION to the secret's region."
  const code = 'code' in error ? ` ${error.code}` : ''
  const found = HINTS.find(([pattern]) => pattern.test(name + code))
  return found?.[1] ?? `${NETWORK} Is AWS_ENDPOINT_URL right?`
}
