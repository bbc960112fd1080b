import { Duration, Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import * as ec2 from 'aws-cdk-lib/aws-ec2'
import * as kms from 'aws-cdk-lib/aws-kms'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, test } from 'vitest'
import { CockroachDatabase, type CockroachSecretRotationOptions, HealthCheckStack } from '../../cdk/index.ts'
import { newApp } from '../support/cdk-app.ts'

const ARN = 'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:app/db-AbCdEf'
const MASTER_ARN = 'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:app/master-AbCdEf'

function rotated(optionsOf: (stack: Stack) => CockroachSecretRotationOptions = () => ({})) {
  const stack = new Stack(newApp(), 'Stack')
  const secret = Secret.fromSecretCompleteArn(stack, 'Secret', ARN)
  const database = new CockroachDatabase(stack, 'Database', { secret, host: 'db.example.com', secretKey: 'MAIN' })
  database.rotate(optionsOf(stack))
  const template = Template.fromStack(stack)
  const [fn] = Object.values(template.findResources('AWS::Lambda::Function'))
  const policies = Object.values(template.findResources('AWS::IAM::Policy'))
  const statements = policies.flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
  return { template, variables: fn?.Properties.Environment.Variables, statements }
}

/** Actions of Secrets Manager and KMS, each with its resource. */
function granted(statements: readonly { Action: string | string[]; Resource: unknown }[]): (readonly unknown[])[] {
  return statements
    .flatMap(({ Action, Resource }) => [Action].flat().map((action) => [action, Resource]))
    .filter(([action]) => /^(?:secretsmanager|kms):/.test(String(action)))
}

const OF_SECRET = ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'].map((action) => [
  `secretsmanager:${action}`,
  ARN,
])

describe('database.rotate()', () => {
  test('allows the function four actions on the secret, and nothing else of Secrets Manager', () => {
    expect(granted(rotated().statements)).toEqual(OF_SECRET)
  })

  test('gives the function the settings of the database, and not the secret of a connected function', () => {
    const { template, variables } = rotated()
    expect(variables).toEqual({ PGHOST: 'db.example.com', COCKROACH_SECRET_KEY: 'MAIN' })
    template.hasResourceProperties('AWS::Lambda::Function', {
      Layers: [{ Ref: Match.stringLikeRegexp('Layer') }],
      Timeout: 180,
    })
  })

  test('lets Secrets Manager alone invoke it, for this secret of this account', () => {
    rotated().template.hasResourceProperties('AWS::Lambda::Permission', {
      Action: 'lambda:InvokeFunction',
      Principal: 'secretsmanager.amazonaws.com',
      SourceAccount: '123456789012',
      SourceArn: ARN,
    })
  })

  test.each<[string, CockroachSecretRotationOptions, string]>([
    ['by default', {}, 'rate(30 days)'],
    ['after one day', { automaticallyAfter: Duration.days(1) }, 'rate(1 day)'],
    ['after 36 hours', { automaticallyAfter: Duration.hours(36) }, 'rate(36 hours)'],
  ])('%s, the schedule is right', (_name, options, scheduleExpression) => {
    const { template } = rotated(() => options)
    template.hasResource('AWS::SecretsManager::RotationSchedule', {
      Properties: { SecretId: ARN, RotationRules: { ScheduleExpression: scheduleExpression } },
      // The permission among them: the first rotation may begin at once.
      DependsOn: Match.arrayWith([Match.stringLikeRegexp('FunctionSecretsManager')]),
    })
  })

  test.each([Duration.hours(3), Duration.minutes(250), Duration.days(1001)])(
    'is refused for %s',
    (automaticallyAfter) => {
      expect(() => rotated(() => ({ automaticallyAfter }))).toThrow('expected whole hours, 4 hours to 1000 days')
    },
  )

  test('is refused for a number', () => {
    expect(() => rotated(() => Object({ automaticallyAfter: 30 }))).toThrow('needs a Duration')
  })

  test('rotateImmediatelyOnUpdate is passed on', () => {
    const { template } = rotated(() => ({ rotateImmediatelyOnUpdate: false }))
    template.hasResourceProperties('AWS::SecretsManager::RotationSchedule', { RotateImmediatelyOnUpdate: false })
  })

  test('a master secret may be read, and no more', () => {
    const { variables, statements } = rotated((stack) => ({
      masterSecret: Secret.fromSecretCompleteArn(stack, 'Master', MASTER_ARN),
    }))
    expect(variables.ROTATION_MASTER_SECRET_ID).toBe(MASTER_ARN)
    expect(granted(statements).filter(([, resource]) => resource === MASTER_ARN)).toEqual([
      ['secretsmanager:GetSecretValue', MASTER_ARN],
      ['secretsmanager:DescribeSecret', MASTER_ARN],
    ])
  })

  test('a customer managed key may be used through Secrets Manager, for reading and writing', () => {
    const stack = new Stack(newApp(), 'Stack')
    const keyArn = 'arn:aws:kms:ap-southeast-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'
    const encryptionKey = kms.Key.fromKeyArn(stack, 'Key', keyArn)
    const secret = Secret.fromSecretCompleteArn(stack, 'Secret', ARN)
    new CockroachDatabase(stack, 'Database', { secret, encryptionKey }).rotate()
    const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
    const condition = { StringEquals: { 'kms:ViaService': 'secretsmanager.ap-southeast-1.amazonaws.com' } }
    for (const Action of ['kms:Decrypt', 'kms:GenerateDataKey']) {
      expect(policy?.Properties.PolicyDocument.Statement).toContainEqual(
        expect.objectContaining({ Action, Resource: keyArn, Condition: condition }),
      )
    }
  })

  test('in a VPC, the endpoint for Secrets Manager admits the function', () => {
    // @ts-expect-error -- under exactOptionalPropertyTypes the CDK's Vpc does not match its own IVpc (vpnGatewayId).
    const { template } = rotated((stack) => {
      const vpc = new ec2.Vpc(stack, 'Vpc', { maxAzs: 1 })
      const secretsManagerEndpoint = vpc.addInterfaceEndpoint('Endpoint', {
        service: ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
        open: false,
      })
      return { vpc, secretsManagerEndpoint }
    })
    template.hasResourceProperties('AWS::Lambda::Function', { VpcConfig: Match.objectLike({}) })
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 443, ToPort: 443 })
  })

  test('an option of a VPC without a VPC is refused', () => {
    expect(() => rotated(() => ({ securityGroups: [] }))).toThrow('securityGroups is set without vpc')
  })
})

test('rotateAfterDays of the sample stack needs secretName', () => {
  expect(() => new HealthCheckStack(newApp(), 'Stack', { rotateAfterDays: 30 })).toThrow('set secretName as well')
})
