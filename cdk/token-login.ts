/** A login without a password: the permission to ask STS for tokens, and what the cluster needs to be told once. */
import * as iam from 'aws-cdk-lib/aws-iam'

/** What the library asks for: see `src/password-source/jwt.ts`. */
const SIGNING_ALGORITHM = 'ES384'
const DURATION_SECONDS = '300'

/** The props that a login by token needs. */
export interface TokenLogin {
  readonly host: string
  readonly user: string
  readonly audience: string
}

/** The command that switches the account's issuer on, or says what it is. */
export const ISSUER_COMMAND =
  'aws iam enable-outbound-web-identity-federation || aws iam get-outbound-web-identity-federation-info'

/**
 * Lets `grantee` ask for tokens that are for this audience and no other, which last no longer than the library's.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_outbound.html
 */
export function grantToken(grantee: iam.IGrantable, audience: string): void {
  iam.Grant.addToPrincipal({
    grantee,
    actions: ['sts:GetWebIdentityToken'],
    // The action has no resources.
    resourceArns: ['*'],
    conditions: {
      'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': [audience] },
      // Without it, a request that names no audience would be allowed as well.
      Null: { 'sts:IdentityTokenAudience': 'false' },
      NumericLessThanEquals: { 'sts:DurationSeconds': DURATION_SECONDS },
      StringEquals: { 'sts:SigningAlgorithm': SIGNING_ALGORITHM },
    },
  })
}

/**
 * To run once on the cluster; ISSUER is what `ISSUER_COMMAND` prints. Nothing is overwritten: each setting may serve other
 * logins already, such as the Cloud's own.
 */
export function clusterStatements({ user, audience }: TokenLogin, roleArn: string): string {
  return [
    'SHOW CLUSTER SETTING server.jwt_authentication.issuers.configuration; -- SET it to what this prints, with ISSUER added',
    `SHOW CLUSTER SETTING server.jwt_authentication.audience; -- the same, with ${audience} added`,
    `SHOW CLUSTER SETTING server.identity_map.configuration; -- the same, with this line added: ISSUER ${roleArn} ${user}`,
    'SET CLUSTER SETTING server.jwt_authentication.jwks_auto_fetch.enabled = true;',
    'SET CLUSTER SETTING server.jwt_authentication.enabled = true;',
  ].join('\n')
}
