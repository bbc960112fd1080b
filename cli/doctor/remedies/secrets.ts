/** Failures of reading a secret, and of what it holds. */
import type { Row } from './remedy.ts'
import { COPY_STRING, PROGRAM, put } from './words.ts'

/** The library's hint may be a command with the secret's value on it: here `secret put` stands instead. */
function withoutCommand(hint: string | undefined): string | undefined {
  return hint !== undefined && /aws secretsmanager put-secret-value/.test(hint) ? undefined : hint
}

/** The first that fits. */
export const OF_SECRETS: readonly Row[] = [
  {
    when: (fault) => /^(Get|Put)SecretValue .*ResourceNotFound/.test(fault.message),
    why: 'There is no such secret in this account and region.',
    mend: ({ secretId = '<name>' }) => [
      'aws secretsmanager list-secrets --query SecretList[].Name',
      secretId.startsWith('arn:')
        ? 'Compare the account and the region in the ARN'
        : `aws secretsmanager create-secret --name ${secretId}`,
      `${PROGRAM} secret put --secret-id ${secretId}`,
    ],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*(AccessDenied|DecryptionFailure)/.test(fault.message),
    why: (fault) => fault.hint ?? 'The caller may not read it.',
    mend: (_, { message }) => [
      'aws sts get-caller-identity',
      `IAM: allow secretsmanager:${message.startsWith('Put') ? 'PutSecretValue' : 'GetSecretValue'} on the ARN of the secret`,
    ],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*(deletion|InvalidRequest)/.test(fault.message),
    why: 'The secret is scheduled for deletion.',
    mend: ({ secretId }) => [`aws secretsmanager restore-secret --secret-id ${secretId}`],
  },
  {
    when: (fault) =>
      /^(Get|Put)SecretValue .*(Credentials|Token|InvalidSignature|UnrecognizedClient)/.test(fault.message),
    why: (fault) => fault.hint ?? 'AWS does not accept the credentials of this process.',
    mend: () => ['aws sts get-caller-identity', 'aws configure, or aws sso login'],
  },
  {
    when: (fault) => /^(Get|Put)SecretValue .*Region/.test(fault.message),
    why: 'No region is set.',
    mend: () => ["export AWS_REGION=<the secret's region>"],
  },
  {
    when: (fault) => fault.code === 'ERR_SECRET_UNAVAILABLE',
    why: (fault) => fault.hint ?? 'Secrets Manager does not answer.',
    mend: ({ secretId }) => [`aws secretsmanager describe-secret --secret-id ${secretId}`],
  },
  {
    when: (fault) =>
      fault.code === 'ERR_SECRET_INVALID' || /^(DATABASE_URL|option connectionString)\b/.test(fault.message),
    why: (fault) => withoutCommand(fault.hint) ?? 'The text is not in a form that names a connection.',
    mend: (about) => [COPY_STRING, put(about)],
  },
]
