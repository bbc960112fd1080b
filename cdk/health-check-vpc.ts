/** The network of a health check that reaches the database from one fixed address. */
import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as logs from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { FunctionNetwork } from './packaged-function.ts'

export interface HealthCheckVpc extends FunctionNetwork {
  /** The address that connections come from, in CIDR notation; known for a new VPC only. */
  readonly allowlistEntry?: string
}

/** The services of AWS that a function may ask before it logs in. */
const SERVICES = {
  SecretsManager: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Sts: ec2.InterfaceVpcEndpointAwsService.STS,
}

/** Two zones, one NAT gateway with an Elastic IP, and an interface endpoint for the service that is asked. */
export function newVpc(scope: Construct, service: keyof typeof SERVICES): HealthCheckVpc {
  const address = new ec2.CfnEIP(scope, 'NatAddress', { domain: 'vpc' })
  const vpc = new ec2.Vpc(scope, 'Vpc', {
    maxAzs: 2,
    natGateways: 1,
    natGatewayProvider: ec2.NatProvider.gateway({ eipAllocationIds: [address.attrAllocationId] }),
    // Nothing uses the default group, and emptying it needs another function with permissions of its own.
    restrictDefaultSecurityGroup: false,
  })
  const logGroup = new logs.LogGroup(scope, 'RejectedTraffic', {
    retention: logs.RetentionDays.ONE_MONTH,
    removalPolicy: RemovalPolicy.DESTROY,
  })
  vpc.addFlowLog('RejectedTrafficLog', {
    trafficType: ec2.FlowLogTrafficType.REJECT,
    destination: ec2.FlowLogDestination.toCloudWatchLogs(logGroup),
  })
  const endpoint = vpc.addInterfaceEndpoint(service, {
    service: SERVICES[service],
    // Only the function's security group is allowed, by the stack.
    open: false,
  })
  // @ts-expect-error -- under exactOptionalPropertyTypes the CDK's Vpc does not match its own IVpc (vpnGatewayId).
  return { vpc, allowlistEntry: `${address.ref}/32`, endpoint }
}

/**
 * A VPC that exists, with private subnets that have a route to the internet.
 * @throws Error when account or region are unknown, or the VPC has no such subnets.
 */
export function existingVpc(scope: Construct, vpcId: string): HealthCheckVpc {
  const { account, region } = Stack.of(scope)
  if (Token.isUnresolved(account) || Token.isUnresolved(region)) {
    throw new Error(
      `vpcId ${vpcId} has to be looked up, but account and region are unknown: log in to AWS (aws sts get-caller-identity must answer) and set AWS_REGION, or set CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION where cdk.context.json has the VPC`,
    )
  }
  const vpc = ec2.Vpc.fromLookup(scope, 'Vpc', { vpcId })
  if (vpc.privateSubnets.length === 0) {
    throw new Error(
      `vpcId ${vpcId} has no private subnet with a NAT gateway, and a function in a public subnet reaches nothing outside: choose another VPC, or use -c vpc=true for a new one`,
    )
  }
  return { vpc }
}
