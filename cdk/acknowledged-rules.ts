/** The rules of cdk-nag's AwsSolutions pack that the sample stack breaks on purpose, and why. */
import { Validations } from 'aws-cdk-lib'
import type { HealthCheckStack } from './health-check-stack.ts'

/** Tells the CDK's validation that these findings are known. */
export function acknowledgeRules(stack: HealthCheckStack): void {
  Validations.of(stack).acknowledge(
    {
      id: 'AwsSolutions::AwsSolutions-SMG4',
      reason: 'The password belongs to a database outside AWS: its owner rotates it, and functions read it again.',
    },
    {
      id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
      reason:
        'xray:PutTraceSegments and xray:PutTelemetryRecords take no resource, nor do the network interfaces that Lambda makes in a VPC; every other statement names one.',
    },
  )
}
