import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { App, Duration, Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { AwsSolutionsChecks } from 'cdk-nag'
import { describe, expect, test } from 'vitest'
import { acknowledgeRules } from '../../cdk/acknowledged-rules.ts'
import { propsFromContext } from '../../cdk/health-check-context.ts'
import {
  CockroachDatabase,
  type CockroachDatabaseProps,
  CockroachLayer,
  HealthCheckStack,
  type HealthCheckStackProps,
} from '../../cdk/index.ts'
import { rootCertificateText } from '../../certs/refresh.ts'
import { CONNECT_TIME, COUNTS, METRIC_DIMENSION, METRIC_NAMESPACE } from '../../src/base/metric-names.ts'
import { appFolder, newApp } from '../support/cdk-app.ts'

const ARN = 'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:app/db-AbCdEf'
const TOPIC_ARN = 'arn:aws:sns:ap-southeast-1:123456789012:on-call'

const ownCa = rootCertificateText().slice(0, rootCertificateText().indexOf('-----END') + 26)

function healthCheckTemplate(name: string, props: HealthCheckStackProps = {}): Template {
  return Template.fromStack(new HealthCheckStack(newApp(name), 'Stack', props))
}

/** One function of the given runtime, and a database to connect it to. */
function databaseAndFunction(stack: Stack, runtime: lambda.Runtime, props: Partial<CockroachDatabaseProps> = {}) {
  const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', ARN)
  const fn = new lambda.Function(stack, 'Function', {
    runtime,
    handler: 'index.handler',
    code: lambda.Code.fromInline('pass'),
  })
  return { database: new CockroachDatabase(stack, 'Database', { secret, ...props }), fn }
}

/** A stack with one function of the given runtime, connected. */
function connected(name: string, runtime: lambda.Runtime, props: Partial<CockroachDatabaseProps> = {}) {
  const stack = new Stack(newApp(name), 'Stack')
  const { database, fn } = databaseAndFunction(stack, runtime, props)
  database.connect(fn)
  return Template.fromStack(stack)
}

function environmentOf(template: Template): unknown {
  const [fn] = Object.values(template.findResources('AWS::Lambda::Function'))
  return fn?.Properties.Environment.Variables
}

function rootCertificateOf(template: Template, name: string): string {
  const [layer] = Object.values(template.findResources('AWS::Lambda::LayerVersion'))
  return readFileSync(join(appFolder, name, layer?.Metadata['aws:asset:path'], 'certs/root.crt'), 'utf8')
}

describe('CockroachDatabase.connect', () => {
  test('gives a Node.js function the layer, the secret id, and permission to read that one secret', () => {
    const template = connected('node', lambda.Runtime.NODEJS_24_X)
    expect(environmentOf(template)).toEqual({ COCKROACH_SECRET_ID: ARN })
    template.hasResourceProperties('AWS::Lambda::Function', { Layers: [{ Ref: Match.stringLikeRegexp('Layer') }] })
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: [
          {
            Action: ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
            Effect: 'Allow',
            Resource: ARN,
          },
        ],
      },
    })
  })

  test('gives a Python function the same layer and libpq variables', () => {
    const template = connected('python', lambda.Runtime.PYTHON_3_13)
    expect(environmentOf(template)).toEqual({
      COCKROACH_SECRET_ID: ARN,
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/opt/certs/root.crt',
    })
    template.resourceCountIs('AWS::Lambda::LayerVersion', 1)
    template.hasResourceProperties('AWS::Lambda::Function', { Layers: [{ Ref: Match.stringLikeRegexp('Layer') }] })
  })

  test('turns every prop into its variable', () => {
    const template = connected('props', lambda.Runtime.NODEJS_22_X, {
      host: 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud',
      port: 26257,
      database: 'bank',
      user: 'app',
      cluster: 'cozy-otter-4821',
      clusterRouting: 'options',
      applicationName: 'orders',
      connectTimeout: Duration.seconds(3),
      secretKey: 'DATABASE_URL',
      secretTtl: Duration.minutes(10),
      maxConnections: 4,
    })
    expect(environmentOf(template)).toEqual({
      COCKROACH_SECRET_ID: ARN,
      COCKROACH_SECRET_KEY: 'DATABASE_URL',
      COCKROACH_SECRET_TTL_SECONDS: '600',
      COCKROACH_CLUSTER: 'cozy-otter-4821',
      COCKROACH_CLUSTER_ROUTING: 'options',
      COCKROACH_MAX_CONNECTIONS: '4',
      PGHOST: 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud',
      PGPORT: '26257',
      PGDATABASE: 'bank',
      PGUSER: 'app',
      PGAPPNAME: 'orders',
      PGCONNECT_TIMEOUT: '3',
    })
  })

  test('two functions in other languages share the layer', () => {
    const stack = new Stack(newApp('two'), 'Stack')
    const database = new CockroachDatabase(stack, 'Database', {
      secret: secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', ARN),
    })
    for (const id of ['One', 'Two']) {
      const code = lambda.Code.fromInline('pass')
      database.connect(
        new lambda.Function(stack, id, { runtime: lambda.Runtime.PYTHON_3_13, handler: 'index.handler', code }),
      )
    }
    Template.fromStack(stack).resourceCountIs('AWS::Lambda::LayerVersion', 1)
  })

  test('a secret imported by name is given by its name, not by a made-up ARN', () => {
    const stack = new Stack(newApp('name'), 'Stack')
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'app/db-secret')
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('0'),
    })
    new CockroachDatabase(stack, 'Database', { secret }).connect(fn)
    expect(environmentOf(Template.fromStack(stack))).toEqual({ COCKROACH_SECRET_ID: 'app/db-secret' })
  })

  test('a second call for the same function changes nothing', () => {
    const stack = new Stack(newApp('twice'), 'Stack')
    const { database, fn } = databaseAndFunction(stack, lambda.Runtime.PYTHON_3_13)
    database.connect(fn)
    const once = Template.fromStack(stack).toJSON()
    const again = new Stack(newApp('twice-again'), 'Stack')
    const same = databaseAndFunction(again, lambda.Runtime.PYTHON_3_13)
    same.database.connect(same.fn)
    same.database.connect(same.fn)
    expect(Template.fromStack(again).toJSON()).toEqual(once)
  })

  test('a second database for one function is refused, and its variables stay', () => {
    const stack = new Stack(newApp('second'), 'Stack')
    const { database, fn } = databaseAndFunction(stack, lambda.Runtime.NODEJS_24_X, { host: 'one.example.com' })
    database.connect(fn)
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'OtherSecret', 'other/db')
    const other = new CockroachDatabase(stack, 'Other', { secret, database: 'bank' })
    expect(() => other.connect(fn)).toThrow(
      'Stack/Function is connected to Stack/Database, and its variables name one database: for Stack/Other, call grantRead(fn) instead, and createDatabase({ secretId }) in the function',
    )
    other.grantRead(fn)
    const template = Template.fromStack(stack)
    expect(environmentOf(template)).toEqual({ COCKROACH_SECRET_ID: ARN, PGHOST: 'one.example.com' })
    const resources = JSON.stringify(template.findResources('AWS::IAM::Policy'))
    expect(resources).toContain(ARN)
    expect(resources).toContain(':secret:other/db-??????')
  })
})

describe('CockroachLayer', () => {
  test('lists both runtimes and both architectures', () => {
    const stack = new Stack(newApp('layer'), 'Stack')
    new CockroachLayer(stack, 'Layer')
    Template.fromStack(stack).hasResourceProperties('AWS::Lambda::LayerVersion', {
      CompatibleRuntimes: ['nodejs22.x', 'nodejs24.x'],
      CompatibleArchitectures: ['x86_64', 'arm64'],
    })
  })

  test.each([
    ['PEM text', () => ownCa],
    [
      'a path',
      () => {
        writeFileSync(join(appFolder, 'ca.pem'), `subject=whatever\r\n${ownCa.replaceAll('\n', '\r\n')}`)
        return join(appFolder, 'ca.pem')
      },
    ],
  ])('rootCertificate as %s replaces certs/root.crt and nothing else', (name, rootCertificate) => {
    const template = healthCheckTemplate(name, { rootCertificate: rootCertificate() })
    expect(rootCertificateOf(template, name)).toBe(`${ownCa.trimEnd()}\n`)
    expect(rootCertificateText()).toBe(
      readFileSync(join(import.meta.dirname, '../../dist/layer/certs/root.crt'), 'utf8'),
    )
  })

  test.each([
    ['a path that does not exist', '/nowhere/root.crt', /\/nowhere\/root.crt cannot be read/],
    ['a file without a certificate', join(import.meta.dirname, '../../package.json'), /holds no PEM certificate/],
    [
      'a broken certificate',
      '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
      /certificate 1 of 1 cannot be read/,
    ],
    ['a private key', `${ownCa}-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----`, /holds a private key/],
  ])('rootCertificate is refused: %s', (_name, rootCertificate, message) => {
    expect(() => new CockroachLayer(new Stack(newApp('bad')), 'Layer', { rootCertificate })).toThrow(message)
  })
})

describe('HealthCheckStack', () => {
  test('makes an empty secret, which is kept when the stack is deleted, but not when its first deployment fails', () => {
    healthCheckTemplate('empty').hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'RetainExceptOnCreate',
      UpdateReplacePolicy: 'Retain',
      Properties: { GenerateSecretString: Match.absent(), SecretString: Match.absent() },
    })
  })

  test('uses the secret of secretName, and makes none', () => {
    const template = healthCheckTemplate('by-name', { secretName: 'app/db', host: 'db.example.com' })
    template.resourceCountIs('AWS::SecretsManager::Secret', 0)
    expect(environmentOf(template)).toEqual({ COCKROACH_SECRET_ID: 'app/db', PGHOST: 'db.example.com' })
  })

  test('runs on arm64 with JSON logs retained for a month, tracing and a signed URL', () => {
    const template = healthCheckTemplate('function')
    template.hasResourceProperties('AWS::Lambda::Function', {
      Architectures: ['arm64'],
      Runtime: 'nodejs24.x',
      LoggingConfig: { LogFormat: 'JSON' },
      TracingConfig: { Mode: 'Active' },
    })
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 })
    template.hasResourceProperties('AWS::Lambda::Url', { AuthType: 'AWS_IAM' })
  })

  test.each<[string, HealthCheckStackProps, readonly string[]]>([
    ['a new secret', {}, ['Step1PasteConnectionStringOfCloudConsoleThenCtrlD', 'Step2FillSecret', 'Step3CheckHealth']],
    ['a secret that exists', { secretName: 'app/db' }, ['Step1CheckHealth']],
    [
      'a new VPC',
      { vpc: true },
      [
        'Step1AddToIpAllowlistOfCluster',
        'Step2PasteConnectionStringOfCloudConsoleThenCtrlD',
        'Step3FillSecret',
        'Step4CheckHealth',
      ],
    ],
  ])('outputs what to do next, for %s, in names that sort in the order of doing', (name, props, steps) => {
    const outputs = Object.keys(healthCheckTemplate(`outputs ${name}`, props).findOutputs('*'))
    expect(outputs).toEqual([...steps, 'CheckHealthOverHttpWithKeysInEnvironment', 'AttachLayerReplacingOthers'])
    // The command line sorts them.
    expect(outputs.toSorted().slice(-steps.length)).toEqual(steps)
  })

  test('outputs say in their values what the descriptions say, for the command line shows no description', () => {
    const outputs = healthCheckTemplate('values').findOutputs('*')
    const value = (name: string): string => JSON.stringify(outputs[name]?.Value)
    expect(value('Step1PasteConnectionStringOfCloudConsoleThenCtrlD')).toBe('"(umask 077; cat > secret.txt)"')
    expect(value('Step2FillSecret')).toMatch(/put-secret-value .*file:\/\/secret\.txt && rm secret\.txt"/)
    expect(value('CheckHealthOverHttpWithKeysInEnvironment')).toContain('$AWS_SESSION_TOKEN')
    expect(value('AttachLayerReplacingOthers')).toContain('--function-name MY_FUNCTION --layers ')
  })

  test('tags its resources', () => {
    const template = healthCheckTemplate('tags', { vpc: true, schedule: 'rate(1 hour)' })
    for (const type of [
      'AWS::Lambda::Function',
      'AWS::SecretsManager::Secret',
      'AWS::EC2::EIP',
      'AWS::Logs::LogGroup',
    ]) {
      template.allResourcesProperties(type, {
        Tags: Match.arrayWith([{ Key: 'application', Value: 'cockroach-lambda' }]),
      })
    }
  })

  describe('with vpc', () => {
    const template = () => healthCheckTemplate('vpc', { vpc: true })

    test('connects through one NAT gateway, whose Elastic IP is an output', () => {
      const vpc = template()
      vpc.resourceCountIs('AWS::EC2::NatGateway', 1)
      vpc.hasResourceProperties('AWS::EC2::NatGateway', {
        AllocationId: { 'Fn::GetAtt': ['NatAddress', 'AllocationId'] },
      })
      vpc.hasOutput('Step1AddToIpAllowlistOfCluster', { Value: { 'Fn::Join': ['', [{ Ref: 'NatAddress' }, '/32']] } })
    })

    test('runs in the private subnets, and reaches Secrets Manager inside the VPC', () => {
      const vpc = template()
      const own = { 'Fn::GetAtt': [Match.stringLikeRegexp('^HealthCheckSecurityGroup'), 'GroupId'] }
      vpc.hasResourceProperties('AWS::Lambda::Function', {
        VpcConfig: {
          SubnetIds: [1, 2].map((number) => ({ Ref: Match.stringLikeRegexp(`^VpcPrivateSubnet${number}`) })),
          SecurityGroupIds: [own],
        },
      })
      vpc.hasResourceProperties('AWS::EC2::VPCEndpoint', {
        VpcEndpointType: 'Interface',
        PrivateDnsEnabled: true,
        ServiceName: { 'Fn::Join': ['', ['com.amazonaws.', { Ref: 'AWS::Region' }, '.secretsmanager']] },
      })
      vpc.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { FromPort: 443, SourceSecurityGroupId: own })
    })

    test('lets Lambda make network interfaces, but not the code of the function', () => {
      const statements = Object.values(template().findResources('AWS::IAM::Policy'))
        .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
        .filter(({ Action }) => Action.includes('ec2:CreateNetworkInterface'))
      expect(statements).toEqual([
        expect.objectContaining({ Effect: 'Allow' }),
        expect.objectContaining({
          Effect: 'Deny',
          Condition: { ArnLike: { 'lambda:SourceFunctionArn': expect.anything() } },
        }),
      ])
      expect(statements[1].Action).toEqual(statements[0].Action)
    })
  })

  describe('with vpcId', () => {
    const env = { account: '123456789012', region: 'ap-southeast-1' }
    const vpcId = 'vpc-0123456789abcdef0'

    /** A VPC that was looked up, as in `cdk.context.json`. */
    function synth(name: string, subnetTypes: readonly string[]): Template {
      const subnet = { cidr: '10.0.0.0/24', availabilityZone: 'ap-southeast-1a', routeTableId: 'rtb-1' }
      const subnetGroups = subnetTypes.map((type) => ({
        ...{ name: type, type },
        subnets: [{ ...subnet, subnetId: `subnet-${type.toLowerCase()}` }],
      }))
      const app = newApp(name)
      app.node.setContext(
        `vpc-provider:account=${env.account}:filter.vpc-id=${vpcId}:region=${env.region}:returnAsymmetricSubnets=true`,
        { vpcId, vpcCidrBlock: '10.0.0.0/16', availabilityZones: [], subnetGroups },
      )
      return Template.fromStack(new HealthCheckStack(app, 'Stack', { vpcId, env }))
    }

    test('uses the private subnets of a VPC that was looked up, and makes only a security group in it', () => {
      const template = synth('lookup', ['Public', 'Private'])
      template.hasResourceProperties('AWS::Lambda::Function', { VpcConfig: { SubnetIds: ['subnet-private'] } })
      const made = Object.values(template.toJSON().Resources).map((resource) => Object(resource).Type)
      expect(made.filter((type) => type.startsWith('AWS::EC2::'))).toEqual(['AWS::EC2::SecurityGroup'])
    })

    test('is refused for a VPC without private subnets', () => {
      expect(() => synth('public', ['Public'])).toThrow(/has no private subnet with a NAT gateway/)
    })

    test('is refused without account and region', () => {
      expect(() => healthCheckTemplate('nowhere', { vpcId })).toThrow(/account and region are unknown: log in to AWS/)
    })

    test('is refused beside vpc=true', () => {
      expect(() => healthCheckTemplate('both', { vpcId, vpc: true, env })).toThrow(/exclude each other/)
    })
  })

  describe('with dashboard', () => {
    test('writes the metrics, and draws each of them', () => {
      const template = healthCheckTemplate('dashboard', { dashboard: true })
      template.hasResourceProperties('AWS::Lambda::Function', {
        Environment: { Variables: Match.objectLike({ COCKROACH_METRICS: 'emf' }) },
      })
      const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'))
      const drawn = JSON.stringify(dashboard)
      for (const name of [...Object.values(COUNTS), CONNECT_TIME]) {
        expect(drawn).toContain(`\\"${METRIC_NAMESPACE}\\",\\"${name}\\",\\"${METRIC_DIMENSION}\\"`)
      }
    })

    test('false, as by default, writes and draws none', () => {
      for (const props of [{}, { dashboard: false }]) {
        const template = healthCheckTemplate(`no dashboard ${JSON.stringify(props)}`, props)
        template.resourceCountIs('AWS::CloudWatch::Dashboard', 0)
        expect(JSON.stringify(template)).not.toContain('COCKROACH_METRICS')
      }
    })
  })

  describe('with schedule', () => {
    const template = () => healthCheckTemplate('schedule', { schedule: 'rate(5 minutes)' })

    test('invokes the function, without repeats', () => {
      template().hasResourceProperties('AWS::Events::Rule', {
        ScheduleExpression: 'rate(5 minutes)',
        State: 'ENABLED',
        Targets: [Match.objectLike({ Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^HealthCheck'), 'Arn'] } })],
      })
      template().hasResourceProperties('AWS::Lambda::EventInvokeConfig', { MaximumRetryAttempts: 0 })
    })

    test('raises an alarm when a run fails, which stays until a run succeeds', () => {
      template().hasResourceProperties('AWS::CloudWatch::Alarm', {
        Namespace: 'AWS/Lambda',
        MetricName: 'Errors',
        Statistic: 'Sum',
        Threshold: 1,
        ComparisonOperator: 'GreaterThanOrEqualToThreshold',
        TreatMissingData: 'ignore',
      })
      template().hasOutput('ShowAlarm', {})
    })

    test('without it, there is no rule and no alarm', () => {
      healthCheckTemplate('unscheduled').resourceCountIs('AWS::Events::Rule', 0)
      healthCheckTemplate('unscheduled').resourceCountIs('AWS::CloudWatch::Alarm', 0)
    })

    test('makes an alarm without actions by default', () => {
      template().hasResourceProperties('AWS::CloudWatch::Alarm', {
        AlarmActions: Match.absent(),
        OKActions: Match.absent(),
      })
    })

    test('publishes to the topic of alarmTopicArn when the alarm is raised and when it is over', () => {
      healthCheckTemplate('topic', {
        schedule: 'rate(5 minutes)',
        alarmTopicArn: TOPIC_ARN,
      }).hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmActions: [TOPIC_ARN], OKActions: [TOPIC_ARN] })
    })

    test('accepts as alarmTopicArn a topic of the same app', () => {
      const app = newApp('own-topic')
      const { topicArn: alarmTopicArn } = new Topic(new Stack(app, 'Topics'), 'Topic')
      const stack = new HealthCheckStack(app, 'Stack', { schedule: 'rate(1 hour)', alarmTopicArn })
      const topic = { 'Fn::ImportValue': Match.stringLikeRegexp('^Topics:') }
      Template.fromStack(stack).hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topic] })
    })

    test('refuses as alarmTopicArn a FIFO topic of the same app', () => {
      const app = newApp('own-fifo-topic')
      const { topicArn: alarmTopicArn } = new Topic(new Stack(app, 'Topics'), 'Topic', { fifo: true })
      expect(() => new HealthCheckStack(app, 'Stack', { schedule: 'rate(1 hour)', alarmTopicArn })).toThrow(
        /alarmTopicArn is the ARN of a FIFO topic/,
      )
    })

    test.each<[string, HealthCheckStackProps, string]>([
      [
        'without schedule',
        { alarmTopicArn: TOPIC_ARN },
        'alarmTopicArn needs an alarm, which only schedule makes: set schedule as well',
      ],
      [
        'that is not the ARN of a topic',
        { schedule: 'rate(1 hour)', alarmTopicArn: ARN },
        `alarmTopicArn is "${ARN}"; expected arn:aws:sns:`,
      ],
      [
        'of a FIFO topic',
        { schedule: 'rate(1 hour)', alarmTopicArn: `${TOPIC_ARN}.fifo` },
        'alarmTopicArn is the ARN of a FIFO topic, which CloudWatch does not notify; expected a standard topic',
      ],
    ])('refuses alarmTopicArn %s', (name, props, message) => {
      expect(() => healthCheckTemplate(`topic ${name}`, props)).toThrow(message)
    })

    test('refuses a schedule that EventBridge refuses', () => {
      expect(() => healthCheckTemplate('bad', { schedule: 'rate(1 minutes)' })).toThrow(
        /schedule is "rate\(1 minutes\)"/,
      )
    })
  })

  describe('under cdk-nag AwsSolutions', () => {
    /** Synthesises with the rules on; the CDK throws when one is broken and not acknowledged. */
    function synth(
      name: string,
      props: HealthCheckStackProps,
      acknowledge: (stack: HealthCheckStack) => void = () => {},
    ): void {
      const app = newApp(name)
      acknowledge(new HealthCheckStack(app, 'Stack', props))
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
      app.synth()
    }

    describe.each<[string, HealthCheckStackProps, readonly string[]]>([
      ['the default', {}, ['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4']],
      ['secretName', { secretName: 'app/db' }, ['AwsSolutions-IAM5[Resource::*]']],
      ['auth', { auth: 'jwt', host: 'db.example.com', user: 'app' }, ['AwsSolutions-IAM5[Resource::*]']],
      ['vpc', { vpc: true }, ['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4']],
      ['schedule', { schedule: 'rate(5 minutes)' }, ['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4']],
      ['rotateAfterDays', { secretName: 'app/db', rotateAfterDays: 30 }, ['AwsSolutions-IAM5[Resource::*]']],
      [
        'rotateAfterDays and vpc',
        { secretName: 'app/db', rotateAfterDays: 30, vpc: true },
        ['AwsSolutions-IAM5[Resource::*]'],
      ],
      ['dashboard', { dashboard: true }, ['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4']],
      [
        'alarmTopicArn',
        { schedule: 'rate(5 minutes)', alarmTopicArn: TOPIC_ARN },
        ['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4'],
      ],
    ])('%s', (name, props, rules) => {
      test('passes with the acknowledged rules', () => {
        expect(() => synth(`nag-${name}`, props, acknowledgeRules)).not.toThrow()
      })

      test('breaks those rules and no other', () => {
        expect(() => synth(`nag-raw-${name}`, props)).toThrow()
        const report = readFileSync(join(appFolder, `nag-raw-${name}/validation-report.json`), 'utf8')
        const broken = JSON.stringify(JSON.parse(report)).match(/AwsSolutions-\w+(?:\[[^\]]*\])?/g)
        expect([...new Set(broken)].sort()).toEqual(rules)
      })
    })
  })
})

describe('propsFromContext', () => {
  /** The props that an app with this context gives. */
  function propsOf(context: Record<string, unknown>): ReturnType<typeof propsFromContext> {
    return propsFromContext(new App({ context, outdir: join(appFolder, 'context') }).node)
  }

  test('returns the known names with their types, and ignores names of the CDK', () => {
    const theirs = [
      ...['cli-telemetry', 'acknowledged-issue-numbers', 'aws:cdk:enable-path-metadata', '@aws-cdk/core:appMode'],
      ...['aws-cdk:enableDiffNoFail', 'vpc-provider:account=1:filter.vpc-id=vpc-1', 'hosted-zone:account=1:a/b'],
    ]
    const context = {
      ...{ secretName: 'app/db', port: '26257', vpc: 'true' },
      ...Object.fromEntries(theirs.map((name) => [name, true])),
    }
    expect(propsOf(context)).toEqual({ secretName: 'app/db', port: 26257, vpc: true })
  })

  test('reads JSON of cdk.json as well as text', () => {
    expect(propsOf({ port: 26257, vpc: false })).toEqual({ port: 26257, vpc: false })
  })

  test.each([
    ['secretName', '', 'context secretName is ""'],
    ['port', '0', 'context port is "0"'],
    ['port', '26257x', 'context port is "26257x"'],
    ['auth', 'JWT', 'context auth is "JWT"; expected jwt, or no auth for a secret'],
    ['clusterRouting', 'SNI', 'context clusterRouting is "SNI"'],
    ['rotateAfterDays', '0', 'context rotateAfterDays is "0"; expected 1 to 1000'],
    ['rotateAfterDays', '1001', 'context rotateAfterDays is "1001"'],
    ['vpc', 'yes', 'context vpc is "yes"; expected true or false'],
    ['vpcId', 'my-vpc', 'context vpcId is "my-vpc"'],
    ['schedule', '5 minutes', 'context schedule is "5 minutes"'],
    ['schedule', 'rate(1 minutes)', 'context schedule is "rate(1 minutes)"'],
    ['schedule', 'cron(0/15 * * * *)', 'context schedule is "cron(0/15 * * * *)"'],
    [
      'alarmTopicArn',
      'on-call',
      'context alarmTopicArn is "on-call"; expected arn:aws:sns:<region>:<account>:<name>, as',
    ],
    ['alarmTopicArn', `${TOPIC_ARN}:1b2c`, `context alarmTopicArn is "${TOPIC_ARN}:1b2c"`],
    ['alarmTopicArn', TOPIC_ARN.replace('sns', 'sqs'), 'context alarmTopicArn is "arn:aws:sqs:'],
    ['alarmTopicArn', TOPIC_ARN.replace('123456789012', '1234'), 'context alarmTopicArn is "arn:aws:sns:'],
    ['alarmTopicArn', `${TOPIC_ARN}.fifo`, 'context alarmTopicArn is the ARN of a FIFO topic'],
    ['secretName', ARN, 'context secretName is an ARN; expected only the name'],
    ['CockroachHealthCheck:host', 'db', 'context CockroachHealthCheck:host is unknown; did you mean host?'],
    ['cockroach/secretname', 'app/db', 'context cockroach/secretname is unknown; did you mean secretName?'],
    ['alarmTopicARN', TOPIC_ARN, 'context alarmTopicARN is unknown; did you mean alarmTopicArn?'],
    ['secretname', 'app/db', 'context secretname is unknown; did you mean secretName?'],
    ['shedule', 'rate(1 hour)', 'context shedule is unknown; did you mean schedule?'],
    ['CockroachHealthCheck:hots', 'db', 'context CockroachHealthCheck:hots is unknown; did you mean host?'],
    ['my/shedule', 'rate(1 hour)', 'context my/shedule is unknown; did you mean schedule?'],
    ['exampel', 'drizzle', 'context exampel is unknown; did you mean example?'],
    ['Example', 'drizzle', 'context Example is unknown; did you mean example?'],
    ['secret-name', 'app/db', 'context secret-name is unknown; did you mean secretName?'],
  ])('refuses -c %s=%s', (name, value, message) => {
    expect(() => propsOf({ [name]: value })).toThrow(message)
  })

  test.each(['rate(1 minute)', 'rate(12 hours)', 'cron(0/15 * * * ? *)'])('accepts -c schedule=%s', (schedule) => {
    expect(propsOf({ schedule })).toEqual({ schedule })
  })
  test.each([
    TOPIC_ARN,
    'arn:aws-cn:sns:cn-north-1:123456789012:On_Call-2',
    'arn:aws-us-gov:sns:us-gov-west-1:123456789012:a',
  ])('accepts -c alarmTopicArn=%s', (alarmTopicArn) => {
    expect(propsOf({ alarmTopicArn })).toEqual({ alarmTopicArn })
  })
})
