/** The rules of cdk-nag's AwsSolutions pack that the sample stack breaks on purpose, and why. */
import { Validations } from 'aws-cdk-lib'
import type { HealthCheckStack } from './health-check-stack.ts'

/** Acknowledges these findings in the CDK's validation. */
export function acknowledgeRules(stack: HealthCheckStack): void {
  Validations.of(stack).acknowledge(
    {
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason: 'The password belongs to a database outside AWS: its owner rotates it, and functions read it again.',
    },
    {
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason:
        'xray:PutTraceSegments, xray:PutTelemetryRecords, sts:GetWebIdentityToken, which has no resources, and the actions with which Lambda makes network interfaces in a VPC, are allowed for all resources, as in the managed policies of AWS; every other statement names its resource.',
    },
  )
}
