/** A function whose code this package has: arm64, JSON logs of one month in a group of its own, tracing, a role of its own. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { allowNetworkInterfaces } from './network-interfaces.ts'

/** Where a function is put that is not to be outside of every VPC. */
export interface FunctionNetwork {
  readonly vpc: ec2.IVpc
  /** @default the private subnets */
  readonly vpcSubnets?: ec2.SubnetSelection
  /** @default a new one, which allows every connection outwards */
  readonly securityGroups?: ec2.ISecurityGroup[]
  /** The interface endpoint for Secrets Manager, or STS, whose security groups then admit the function; absent: a NAT gateway. */
  readonly endpoint?: ec2.IInterfaceVpcEndpoint
}

export interface PackagedFunctionProps {
  readonly description: string
  /** The folder with its code. */
  readonly folder: string
  readonly handler: string
  readonly network?: FunctionNetwork | undefined
  /** @default Duration.seconds(30) */
  readonly timeout?: Duration
}

export function packagedFunction(scope: Construct, id: string, props: PackagedFunctionProps): lambda.Function {
  const { description, folder, handler, network, timeout = Duration.seconds(30) } = props
  const { endpoint, ...placement }: Partial<FunctionNetwork> = network ?? {}
  const logGroup = new logs.LogGroup(scope, `${id}Logs`, {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  // A role of its own: the managed one may write every log group of the account.
  const role = new iam.Role(scope, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
  logGroup.grantWrite(role)
  if (network !== undefined) allowNetworkInterfaces(role)
  const fn = new lambda.Function(scope, id, {
    description,
    code: lambda.Code.fromAsset(folder),
    handler,
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: lambda.Architecture.ARM_64,
    memorySize: 512,
    timeout,
    tracing: lambda.Tracing.ACTIVE,
    loggingFormat: lambda.LoggingFormat.JSON,
    logGroup,
    role,
    ...placement,
  })
  endpoint?.connections.allowDefaultPortFrom(fn)
  return fn
}
