/** A function of the sample stack: arm64, JSON logs of one month in a group of its own, tracing, a role of its own. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { allowNetworkInterfaces, type HealthCheckVpc } from './health-check-vpc.ts'

export interface SampleFunctionProps {
  readonly description: string
  /** The folder with its code. */
  readonly folder: string
  readonly handler: string
  readonly network?: HealthCheckVpc | undefined
}

export function sampleFunction(scope: Construct, id: string, props: SampleFunctionProps): lambda.Function {
  const { description, folder, handler, network } = props
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
    timeout: Duration.seconds(30),
    tracing: lambda.Tracing.ACTIVE,
    loggingFormat: lambda.LoggingFormat.JSON,
    logGroup,
    role,
    ...(network === undefined ? {} : { vpc: network.vpc }),
  })
  network?.endpoint?.connections.allowDefaultPortFrom(fn)
  return fn
}
