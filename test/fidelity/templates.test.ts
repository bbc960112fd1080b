import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { App, Validations } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import recommendedFeatureFlags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' }
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterAll, describe, expect, test } from 'vitest'
import { acknowledgeRules } from '../../cdk/acknowledged-rules.ts'
import { HealthCheckStack, type HealthCheckStackProps } from '../../cdk/index.ts'
import { runCommand } from '../support/command-line.ts'
import { outsidePart } from './support/outside-part.ts'

const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-templates-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const env = { account: '123456789012', region: 'ap-southeast-1' }
const vpcId = 'vpc-0123456789abcdef0'
/** A VPC that was looked up, as in `cdk.context.json`. */
const LOOKED_UP = {
  [`vpc-provider:account=${env.account}:filter.vpc-id=${vpcId}:region=${env.region}:returnAsymmetricSubnets=true`]: {
    ...{ vpcId, vpcCidrBlock: '10.0.0.0/16', availabilityZones: [] },
    subnetGroups: ['a', 'b'].map((zone) => ({
      ...{ name: `Private ${zone}`, type: 'Private' },
      subnets: [
        {
          ...{ subnetId: `subnet-0123456789abcdef${zone}`, cidr: '10.0.0.0/24', routeTableId: 'rtb-0123456789abcdef0' },
          availabilityZone: `ap-southeast-1${zone}`,
        },
      ],
    })),
  },
}

const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
].map((action) => `Allow ${action} on *`)

const READS_BY_NAME = 'the secret app/db'
const READS_BY_ARN = 'EmptySecret'

interface Variant {
  readonly props: HealthCheckStackProps
  /** What the role may read, and what it may do beyond that. */
  readonly secret: string
  readonly more?: readonly string[]
}

const HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'
const TOPIC_ARN = 'arn:aws:sns:ap-southeast-1:123456789012:on-call'
const VARIANTS: Readonly<Record<string, Variant>> = {
  'the default': { props: {}, secret: READS_BY_ARN },
  secretName: { props: { secretName: 'app/db', host: HOST, port: 26_257, user: 'app' }, secret: READS_BY_NAME },
  vpc: { props: { vpc: true }, secret: READS_BY_ARN, more: NETWORK_INTERFACES },
  vpcId: { props: { vpcId, env }, secret: READS_BY_ARN, more: NETWORK_INTERFACES },
  schedule: { props: { schedule: 'rate(5 minutes)' }, secret: READS_BY_ARN },
  alarmTopicArn: { props: { schedule: 'rate(5 minutes)', alarmTopicArn: TOPIC_ARN }, secret: READS_BY_ARN },
  everything: {
    props: { secretName: 'app/db', vpc: true, schedule: 'cron(0/15 * * * ? *)', alarmTopicArn: TOPIC_ARN },
    secret: READS_BY_NAME,
    more: NETWORK_INTERFACES,
  },
}

describe.each(Object.entries(VARIANTS))('the template of %s', (name, { props, secret, more = [] }) => {
  const app = new App({ outdir: join(folder, name), context: { ...recommendedFeatureFlags, ...LOOKED_UP } })
  const stack = new HealthCheckStack(app, 'Stack', props)
  acknowledgeRules(stack)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))

  test('passes cdk-nag AwsSolutions', () => {
    expect(() => app.synth()).not.toThrow()
  })

  test('passes cfn-lint', async () => {
    const program = outsidePart('cfn-lint', 'bin/cfn-lint')
    const template = join(app.synth().directory, 'Stack.template.json')
    const regions = ['us-east-1', 'ap-southeast-1', 'eu-central-1']
    // W3005: the CDK writes a DependsOn beside every Ref, which is not an error.
    const args = ['--ignore-checks', 'W3005', '--regions', ...regions, '--template', template]
    const { stdout } = await promisify(execFile)(program, args).catch((error: { stdout: string }) => error)
    expect(stdout).toBe('')
  })

  describe("the function's role", () => {
    const template = Template.fromStack(stack)
    const [[roleId = '', role] = []] = Object.entries(template.findResources('AWS::IAM::Role')).filter(([id]) =>
      id.startsWith('HealthCheckRole'),
    )

    /** `Allow <action> on <resource>`, one for each pair. */
    function statements(effect: 'Allow' | 'Deny'): readonly string[] {
      return Object.values(template.findResources('AWS::IAM::Policy'))
        .filter(({ Properties }) => Properties.Roles.some((each: { Ref?: string }) => each.Ref === roleId))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
        .filter(({ Effect }) => Effect === effect)
        .flatMap(({ Action, Resource }) =>
          [Action]
            .flat()
            .flatMap((action) => [Resource].flat().map((each) => `${effect} ${action} on ${nameOf(each)}`)),
        )
    }

    test('may read that one secret, write its own logs, trace, and no more', () => {
      expect(statements('Allow').toSorted()).toEqual(
        [
          `Allow secretsmanager:GetSecretValue on ${secret}`,
          `Allow secretsmanager:DescribeSecret on ${secret}`,
          'Allow logs:CreateLogStream on HealthCheckLogs',
          'Allow logs:PutLogEvents on HealthCheckLogs',
          'Allow xray:PutTraceSegments on *',
          'Allow xray:PutTelemetryRecords on *',
          ...more,
        ].toSorted(),
      )
    })

    test('denies the code of the function the actions for network interfaces', () => {
      expect(statements('Deny').toSorted()).toEqual(more.map((line) => line.replace('Allow', 'Deny')).toSorted())
    })

    test('has no other policy, and only Lambda may assume it', () => {
      expect(Object.keys(role?.Properties)).toEqual(['AssumeRolePolicyDocument', 'Tags'])
      expect(role?.Properties.AssumeRolePolicyDocument.Statement).toEqual([
        { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } },
      ])
      template.resourceCountIs('AWS::IAM::ManagedPolicy', 0)
      template.resourceCountIs('AWS::SecretsManager::ResourcePolicy', 0)
    })

    test('is for a function whose own policy allows only the schedule to invoke it', () => {
      const permissions = Object.values(template.findResources('AWS::Lambda::Permission'))
      expect(permissions.map(({ Properties }) => Properties)).toEqual(
        props.schedule === undefined
          ? []
          : [expect.objectContaining({ Principal: 'events.amazonaws.com', SourceArn: expect.anything() })],
      )
    })
  })
})

/** What a policy's resource stands for: text as it is, else the resource that it refers to. */
function nameOf(resource: unknown): string {
  if (typeof resource === 'string') return resource
  const text = JSON.stringify(resource)
  if (/:secret:app\/db-\?{6}"/.test(text)) return READS_BY_NAME
  const [, logicalId = text] = /"(?:Ref|Fn::GetAtt)":\[?"(?!AWS::)(\w+?)(?:[0-9A-F]{8})?"/.exec(text) ?? []
  return logicalId
}

test.each([
  ['JavaScript', []],
  ['Python', ['--python']],
] as const)('the template of init --sam passes cfn-lint, for a function in %s', async (language, words) => {
  const mine = join(folder, `sam-${language}`)
  await runCommand(['init', '--sam', ...words, mine], { secrets: [] })
  const template = join(mine, 'template.yaml')
  const text = readFileSync(template, 'utf8')
  const lint = async (): Promise<string> => {
    const args = ['--regions', 'us-east-1', 'ap-southeast-1', 'eu-central-1', '--template', template]
    const run = promisify(execFile)(outsidePart('cfn-lint', 'bin/cfn-lint'), args)
    return (await run.catch((error: { stdout: string }) => error)).stdout
  }
  expect(await lint()).toBe('')
  writeFileSync(template, text.replace('MemorySize', 'MemoryySize'))
  expect(await lint()).toContain("'MemoryySize' was unexpected")
})
