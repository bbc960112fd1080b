import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Duration, Stack, Validations } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterAll, describe, expect, test } from 'vitest'
import { acknowledgeRules } from '../cdk/acknowledged-rules.ts'
import { propsFromContext } from '../cdk/health-check-context.ts'
import { CockroachDatabase, CockroachLayer, HealthCheckStack, type HealthCheckStackProps } from '../cdk/index.ts'
import { rootCertificateText } from '../certs/refresh.ts'

const ARN = 'arn:aws:secretsmanager:ap-southeast-1:123456789012:secret:app/db-AbCdEf'
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-cdk-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ownCa = rootCertificateText().slice(0, rootCertificateText().indexOf('-----END') + 26)

function newApp(name: string): App {
  return new App({
    outdir: join(folder, name),
    treeMetadata: false,
    // As the command-line tool sets it: templates then say where their assets are.
    context: { 'aws:cdk:enable-asset-metadata': true },
  })
}

function healthCheckTemplate(name: string, props: HealthCheckStackProps = {}): Template {
  return Template.fromStack(new HealthCheckStack(newApp(name), 'Stack', props))
}

/** A stack with one function of the given runtime, connected. */
function connected(
  name: string,
  runtime: lambda.Runtime,
  props: Partial<ConstructorParameters<typeof CockroachDatabase>[2]> = {},
) {
  const stack = new Stack(newApp(name), 'Stack')
  const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', ARN)
  const fn = new lambda.Function(stack, 'Function', {
    runtime,
    handler: 'index.handler',
    code: lambda.Code.fromInline('pass'),
  })
  new CockroachDatabase(stack, 'Database', { secret, ...props }).connect(fn)
  return Template.fromStack(stack)
}

function environmentOf(template: Template): unknown {
  const [fn] = Object.values(template.findResources('AWS::Lambda::Function'))
  return fn?.Properties.Environment.Variables
}

function rootCertificateOf(template: Template, name: string): string {
  const [layer] = Object.values(template.findResources('AWS::Lambda::LayerVersion'))
  return readFileSync(join(folder, name, layer?.Metadata['aws:asset:path'], 'certs/root.crt'), 'utf8')
}

describe('CockroachDatabase.connect', () => {
  test('gives a Node function the layer, the secret id and reading that one secret', () => {
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

  test('a secret known by name alone is named, not pieced together to an ARN', () => {
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

  test('a container image is refused, with what to do instead', () => {
    const stack = new Stack(newApp('image'), 'Stack')
    const secret = secretsmanager.Secret.fromSecretCompleteArn(stack, 'Secret', ARN)
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.FROM_IMAGE,
      handler: lambda.Handler.FROM_IMAGE,
      code: lambda.Code.fromEcrImage(Repository.fromRepositoryName(stack, 'Repository', 'app')),
    })
    expect(() => new CockroachDatabase(stack, 'Database', { secret }).connect(fn)).toThrow(/takes no layers: install/)
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
        writeFileSync(join(folder, 'ca.pem'), `subject=whatever\r\n${ownCa.replaceAll('\n', '\r\n')}`)
        return join(folder, 'ca.pem')
      },
    ],
  ])('rootCertificate as %s replaces certs/root.crt and nothing else', (name, rootCertificate) => {
    const template = healthCheckTemplate(name, { rootCertificate: rootCertificate() })
    expect(rootCertificateOf(template, name)).toBe(`${ownCa.trimEnd()}\n`)
    expect(rootCertificateText()).toBe(readFileSync(join(import.meta.dirname, '../dist/layer/certs/root.crt'), 'utf8'))
  })

  test.each([
    ['a path that leads nowhere', '/nowhere/root.crt', /\/nowhere\/root.crt cannot be read/],
    ['a file without a certificate', join(import.meta.dirname, '../package.json'), /holds no PEM certificate/],
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
  test('makes an empty secret that outlives the stack', () => {
    healthCheckTemplate('empty').hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: { GenerateSecretString: Match.absent(), SecretString: Match.absent() },
    })
  })

  test('takes a secret by name and makes none', () => {
    const template = healthCheckTemplate('by-name', { secretName: 'app/db', host: 'db.example.com' })
    template.resourceCountIs('AWS::SecretsManager::Secret', 0)
    expect(environmentOf(template)).toEqual({ COCKROACH_SECRET_ID: 'app/db', PGHOST: 'db.example.com' })
  })

  test('runs on arm64 with JSON logs kept a month, tracing and a signed URL', () => {
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

  test('outputs the commands to type next', () => {
    const outputs = Object.keys(healthCheckTemplate('outputs').findOutputs('*'))
    expect(outputs).toEqual(['FillSecret', 'CheckHealth', 'CheckHealthOverHttp', 'AttachLayer'])
  })

  describe('under cdk-nag AwsSolutions', () => {
    /** Synthesises with the rules on; the CDK throws when one is broken and not acknowledged. */
    function synth(name: string, acknowledge: (stack: HealthCheckStack) => void): void {
      const app = newApp(name)
      acknowledge(new HealthCheckStack(app, 'Stack'))
      Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
      app.synth()
    }

    test('passes with the acknowledged rules', () => {
      expect(() => synth('nag', acknowledgeRules)).not.toThrow()
    })

    test('breaks those two rules and no other', () => {
      expect(() => synth('nag-raw', () => {})).toThrow()
      const report: unknown = JSON.parse(readFileSync(join(folder, 'nag-raw/validation-report.json'), 'utf8'))
      expect(
        JSON.stringify(report)
          .match(/AwsSolutions-\w+(?:\[[^\]]*\])?/g)
          ?.sort(),
      ).toEqual(['AwsSolutions-IAM5[Resource::*]', 'AwsSolutions-SMG4'])
    })
  })
})

describe('propsFromContext', () => {
  test('takes the names it knows, and the port as a number', () => {
    const { node } = new App({ context: { secretName: 'app/db', port: '26257', other: 'x' } })
    expect(propsFromContext(node)).toEqual({ secretName: 'app/db', port: 26257 })
  })

  test.each([
    ['secretName', '', 'context secretName is ""'],
    ['port', '0', 'context port is "0"'],
    ['port', '26257x', 'context port is "26257x"'],
    ['clusterRouting', 'SNI', 'context clusterRouting is "SNI"'],
  ])('refuses -c %s=%s', (name, value, message) => {
    const { node } = new App({ context: { [name]: value } })
    expect(() => propsFromContext(node)).toThrow(message)
  })
})
