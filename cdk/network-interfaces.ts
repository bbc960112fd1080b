/** What a role needs so that Lambda can put its function into a VPC. */
import { ArnFormat, Stack } from 'aws-cdk-lib'
import * as iam from 'aws-cdk-lib/aws-iam'

/** The actions with which Lambda puts a function into a VPC: the managed policy's, without its permission to write every log group. */
const NETWORK_INTERFACE_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
]

/** Lets Lambda make network interfaces with this role, but not the function's own code. */
export function allowNetworkInterfaces(role: iam.Role): void {
  role.addToPolicy(new iam.PolicyStatement({ actions: NETWORK_INTERFACE_ACTIONS, resources: ['*'] }))
  const anyFunction = Stack.of(role).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  })
  role.addToPolicy(
    new iam.PolicyStatement({
      effect: iam.Effect.DENY,
      actions: NETWORK_INTERFACE_ACTIONS,
      resources: ['*'],
      // Requests of a function's code have this key, Lambda's own do not. A pattern, since the function depends on this policy.
      conditions: { ArnLike: { 'lambda:SourceFunctionArn': anyFunction } },
    }),
  )
}
