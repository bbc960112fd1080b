/** What a function needs to read or rotate a secret: the id by which Secrets Manager finds it, and the permissions. */
import { Stack, Token } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as kms from 'aws-cdk-lib/aws-kms'
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import type { IConstruct } from 'constructs'

/** Secrets Manager reads such an end as the random suffix of a complete ARN. */
const LOOKS_LIKE_A_SUFFIX = /-[A-Za-z0-9]{6}$/

/**
 * The id for `GetSecretValue` in the reader's account and region: the complete ARN where it is known, the name for
 * a secret of the reader's own account and region, the ARN without its suffix for any other.
 * @throws Error when the secret was imported in a way by which it cannot be found.
 */
export function secretIdFor(secret: ISecret, reader: IConstruct): string {
  const { secretFullArn, secretArn, env } = secret
  if (secretFullArn !== undefined) return secretFullArn
  const name = nameOf(secret)
  if (name.startsWith('arn:')) {
    throw new Error(
      `${secret.node.path} was imported with an ARN where a name belongs: import it with Secret.fromSecretCompleteArn`,
    )
  }
  const { account, region } = Stack.of(reader)
  // An ARN without its random suffix is refused for some names; the bare name never is.
  if (env.account === account && env.region === region) return name
  if (!Token.isUnresolved(name) && LOOKS_LIKE_A_SUFFIX.test(name)) {
    throw new Error(
      `${secret.node.path} cannot be found by this ARN, whose last six characters are read as the suffix of a complete one: import it with Secret.fromSecretCompleteArn, or with Secret.fromSecretNameV2 if it is in the account and region of ${reader.node.path}`,
    )
  }
  return secretArn
}

/** The name as the ARN has it: the CDK's `secretName` leaves out an end that looks like the suffix of a complete ARN. */
function nameOf({ secretArn, secretName }: ISecret): string {
  return /:secret:(.+)$/.exec(secretArn)?.[1] ?? secretName
}

/**
 * Lets `grantee` read the secret. For a key that this app does not own, the CDK's `grantRead` grants nothing: it writes to
 * the policy of the key alone, which an imported key drops. So the permission to decrypt is given to the grantee, for requests that
 * Secrets Manager makes.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
 */
export function grantSecretRead(secret: ISecret, encryptionKey: kms.IKey | undefined, grantee: iam.IGrantable): void {
  secret.grantRead(grantee)
  if (encryptionKey === undefined || encryptionKey instanceof kms.Key) return
  grantKey(secret, encryptionKey, grantee, 'kms:Decrypt')
}

/**
 * Lets `grantee` rotate the secret: read it, write the next version, and move the stages.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-required-permissions-function.html
 */
export function grantSecretRotation(
  secret: ISecret,
  encryptionKey: kms.IKey | undefined,
  grantee: iam.IGrantable,
): void {
  grantSecretRead(secret, encryptionKey, grantee)
  iam.Grant.addToPrincipal({
    grantee,
    actions: ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'],
    resourceArns: [secretArnPattern(secret)],
  })
  if (encryptionKey instanceof kms.Key) {
    const principal = new kms.ViaServicePrincipal(serviceOf(secret), grantee.grantPrincipal)
    encryptionKey.grant(principal, 'kms:GenerateDataKey')
  } else if (encryptionKey !== undefined) {
    grantKey(secret, encryptionKey, grantee, 'kms:GenerateDataKey')
  }
}

/** For policies: the complete ARN, or one that stands for every random suffix. */
export function secretArnPattern({ secretFullArn, secretArn }: ISecret): string {
  return secretFullArn ?? `${secretArn}-??????`
}

function serviceOf({ env: { region } }: ISecret): string {
  return `secretsmanager.${region}.amazonaws.com`
}

/** The permission of a key that this app does not own. */
function grantKey(secret: ISecret, encryptionKey: kms.IKey, grantee: iam.IGrantable, action: string): void {
  const viaService = { 'kms:ViaService': serviceOf(secret) }
  const aliasName = aliasNameOf(encryptionKey)
  iam.Grant.addToPrincipal({
    grantee,
    actions: [action],
    // An alias cannot be this action's resource: the condition selects the key by its aliases.
    resourceArns: [aliasName === undefined ? encryptionKey.keyArn : anyKeyBeside(secret)],
    conditions: {
      StringEquals: viaService,
      ...(aliasName === undefined ? {} : { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': aliasName } }),
    },
  })
}

/** `alias/<name>`, for a key that was imported by its alias. */
function aliasNameOf(key: kms.IKey): string | undefined {
  if ('aliasName' in key && typeof key.aliasName === 'string') {
    const { aliasName } = key
    return Token.isUnresolved(aliasName) || aliasName.startsWith('alias/') ? aliasName : `alias/${aliasName}`
  }
  return /:(alias\/.+)$/.exec(key.keyArn)?.[1]
}

/** The keys of the secret's account and region. */
function anyKeyBeside({ stack, env: { account, region } }: ISecret): string {
  return stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*', account, region })
}
