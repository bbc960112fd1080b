/** Rotates the password in a secret, and at the database: the function that Secrets Manager invokes, and when. */
import { Duration } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as kms from 'aws-cdk-lib/aws-kms'
import type * as lambda from 'aws-cdk-lib/aws-lambda'
import { CfnRotationSchedule, type ISecret } from 'aws-cdk-lib/aws-secretsmanager'
import { Construct } from 'constructs'
import { builtPath } from './built-files.ts'
import { CockroachLayer } from './cockroach-layer.ts'
import { type FunctionNetwork, packagedFunction } from './packaged-function.ts'
import { ROTATION_MASTER_SECRET_ID } from './rotation/variables.ts'
import { grantSecretRead, grantSecretRotation, secretArnPattern, secretIdFor } from './secret-access.ts'

/** Room for a step that logs in again after a minute. */
const TIMEOUT = Duration.minutes(3)
/** @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotationRulesType.html */
const SHORTEST_HOURS = 4
const LONGEST_HOURS = 24 * 1000

/** Options of `database.rotate()`. */
export interface CockroachSecretRotationOptions {
  /**
   * How long a password is used: 4 hours to 1000 days, in whole hours.
   * @default Duration.days(30)
   */
  readonly automaticallyAfter?: Duration
  /**
   * The secret of a user who may change the passwords of others: two users then take turns, `app` and `app_clone`, and the
   * last one's password goes on working until its next turn.
   * @default one user, who changes its own password
   */
  readonly masterSecret?: ISecret
  /**
   * The customer managed key of `masterSecret`, needed where it was imported without it.
   * @default the `encryptionKey` of `masterSecret`
   */
  readonly masterEncryptionKey?: kms.IKey
  /**
   * Whether the deployment rotates once, as soon as this is created or changed; else the function is only tried out.
   * @default true
   */
  readonly rotateImmediatelyOnUpdate?: boolean
  /**
   * The VPC of the function, for a database that is reached from there only.
   * @default none
   */
  readonly vpc?: ec2.IVpc
  /**
   * The subnets of the VPC; from them the function has to reach the database, and Secrets Manager.
   * @default the private subnets
   */
  readonly vpcSubnets?: ec2.SubnetSelection
  /**
   * The security groups of the function in the VPC.
   * @default a new one, which allows every connection outwards
   */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /**
   * The VPC's interface endpoint for Secrets Manager, whose security groups then admit the function.
   * @default Secrets Manager is reached through a NAT gateway
   */
  readonly secretsManagerEndpoint?: ec2.IInterfaceVpcEndpoint
}

export interface CockroachSecretRotationProps extends CockroachSecretRotationOptions {
  /** The secret to rotate, in any form that the library reads, with user and password in it. */
  readonly secret: ISecret
  /**
   * The customer managed key of the secret, needed where it was imported without it.
   * @default the `encryptionKey` of `secret`
   */
  readonly encryptionKey?: kms.IKey
  /**
   * The layer, with the root certificate of the database.
   * @default a new CockroachLayer
   */
  readonly layer?: lambda.ILayerVersion
  /**
   * Variables of the function for what the secret lacks, such as `PGHOST` or `COCKROACH_SECRET_KEY`.
   * @default none
   */
  readonly environment?: Readonly<Record<string, string>>
}

/** One secret has one rotation. `database.rotate()` makes it with the settings of the database. */
export class CockroachSecretRotation extends Construct {
  /** Invoked by Secrets Manager, once for each step; its log says why a step failed. */
  readonly rotationFunction: lambda.Function

  /** @throws Error when `automaticallyAfter` is not a time that Secrets Manager accepts. */
  constructor(scope: Construct, id: string, props: CockroachSecretRotationProps) {
    super(scope, id)
    const { secret, masterSecret, layer = new CockroachLayer(this, 'Layer'), environment = {} } = props
    const scheduleExpression = rate(props.automaticallyAfter ?? Duration.days(30))
    const fn = packagedFunction(this, 'Function', {
      description: 'Rotates the password of a database user',
      folder: builtPath('rotation'),
      handler: 'index.handler',
      timeout: TIMEOUT,
      network: networkOf(props),
    })
    fn.addLayers(layer)
    for (const [name, value] of Object.entries(environment)) fn.addEnvironment(name, value)
    grantSecretRotation(secret, props.encryptionKey ?? secret.encryptionKey, fn)
    if (masterSecret !== undefined) {
      fn.addEnvironment(ROTATION_MASTER_SECRET_ID, secretIdFor(masterSecret, this))
      grantSecretRead(masterSecret, props.masterEncryptionKey ?? masterSecret.encryptionKey, fn)
    }
    fn.addPermission('SecretsManager', {
      principal: new iam.ServicePrincipal('secretsmanager.amazonaws.com'),
      sourceAccount: secret.env.account,
      sourceArn: secretArnPattern(secret),
    })
    const schedule = new CfnRotationSchedule(this, 'Schedule', {
      secretId: secretIdFor(secret, this),
      rotationLambdaArn: fn.functionArn,
      rotationRules: { scheduleExpression },
      ...(props.rotateImmediatelyOnUpdate === undefined
        ? {}
        : { rotateImmediatelyOnUpdate: props.rotateImmediatelyOnUpdate }),
    })
    // The first rotation may begin at once, and needs permissions, role and policy.
    schedule.node.addDependency(fn)
    this.rotationFunction = fn
  }
}

function networkOf(props: CockroachSecretRotationOptions): FunctionNetwork | undefined {
  const { vpc, vpcSubnets, securityGroups, secretsManagerEndpoint } = props
  if (vpc !== undefined) {
    return {
      vpc,
      ...(vpcSubnets === undefined ? {} : { vpcSubnets }),
      ...(securityGroups === undefined ? {} : { securityGroups }),
      ...(secretsManagerEndpoint === undefined ? {} : { endpoint: secretsManagerEndpoint }),
    }
  }
  const [given] = Object.entries({ vpcSubnets, securityGroups, secretsManagerEndpoint }).filter(([, value]) => value)
  if (given === undefined) return undefined
  throw new Error(`${given[0]} is set without vpc: a function outside of a VPC has none`)
}

/** Secrets Manager's expression for every so many days or hours. */
function rate(after: Duration): string {
  if (typeof Object(after).toHours !== 'function')
    throw new Error('automaticallyAfter needs a Duration, such as Duration.days(30)')
  const hours = after.toHours({ integral: false })
  if (!Number.isInteger(hours) || hours < SHORTEST_HOURS || hours > LONGEST_HOURS) {
    throw new Error(`automaticallyAfter is ${after.toHumanString()}; expected whole hours, 4 hours to 1000 days`)
  }
  const [count, unit] = hours % 24 === 0 ? [hours / 24, 'day'] : [hours, 'hour']
  return `rate(${count} ${unit}${count === 1 ? '' : 's'})`
}
