import { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, test } from 'vitest'
import {
  CockroachDatabase,
  type CockroachDatabaseProps,
  HealthCheckStack,
  type HealthCheckStackProps,
} from '../../cdk/index.ts'
import { newApp } from '../support/cdk-app.ts'

const SERVER = { host: 'db.example.com', user: 'app' }

/** A stack with a database, a function, and whatever the database has of a secret. */
function stackWith(props: CockroachDatabaseProps) {
  const stack = new Stack(newApp(), 'Stack')
  const fn = new lambda.Function(stack, 'Function', {
    ...{ runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromInline('pass') },
  })
  return { stack, fn, database: new CockroachDatabase(stack, 'Database', props) }
}

/** The statements about tokens in a template's policies. */
function tokenStatements(template: Template): readonly unknown[] {
  return Object.values(template.findResources('AWS::IAM::Policy')).flatMap(({ Properties }) =>
    Properties.PolicyDocument.Statement.filter(
      ({ Action }: { Action: unknown }) => Action === 'sts:GetWebIdentityToken',
    ),
  )
}

describe('CockroachDatabase with auth', () => {
  test('sets the variables, and allows tokens for the host, of ES384, that last as long as the library asks for', () => {
    const { stack, fn, database } = stackWith({ auth: 'jwt', ...SERVER, database: 'shop' })
    database.connect(fn)
    const template = Template.fromStack(stack)
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: { COCKROACH_AUTH: 'jwt', PGHOST: 'db.example.com', PGUSER: 'app', PGDATABASE: 'shop' },
      },
    })
    expect(tokenStatements(template)).toEqual([
      {
        Action: 'sts:GetWebIdentityToken',
        Effect: 'Allow',
        Resource: '*',
        Condition: {
          'ForAllValues:StringEquals': { 'sts:IdentityTokenAudience': ['db.example.com'] },
          Null: { 'sts:IdentityTokenAudience': 'false' },
          NumericLessThanEquals: { 'sts:DurationSeconds': '300' },
          StringEquals: { 'sts:SigningAlgorithm': 'ES384' },
        },
      },
    ])
    expect(JSON.stringify(template.toJSON())).not.toContain('secretsmanager')
  })

  test('allows tokens for jwtAudience alone, which becomes a variable', () => {
    const { stack, fn, database } = stackWith({ auth: 'jwt', ...SERVER, jwtAudience: 'orders' })
    database.connect(fn)
    const template = Template.fromStack(stack)
    expect(JSON.stringify(tokenStatements(template))).toContain('{"sts:IdentityTokenAudience":["orders"]}')
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ COCKROACH_JWT_AUDIENCE: 'orders' }) },
    })
  })

  test('says what to run on the cluster for the role of a function', () => {
    const { stack, fn, database } = stackWith({ auth: 'jwt', ...SERVER })
    const text = JSON.stringify(stack.resolve(database.clusterStatements(fn)))
    expect(text).toMatch(
      /identity_map\.configuration; -- .*: ISSUER .*"Fn::GetAtt":\["FunctionServiceRole\w+","Arn"\].* app/,
    )
    expect(text).not.toMatch(/SET CLUSTER SETTING server\.(?:identity_map|jwt_authentication\.(?:audience|issuers))/)
  })

  test('has no secret', () => {
    expect(() => stackWith({ auth: 'jwt', ...SERVER }).database.secret).toThrow('has no secret')
  })

  test.each<[string, CockroachDatabaseProps, string]>([
    ['a misspelt auth', Object({ auth: 'jtw' }), `has auth "jtw"; expected 'jwt'`],
    ['neither secret nor auth', {}, 'needs either secret or auth, and not both'],
    ['auth without a user', { auth: 'jwt', host: 'db.example.com' }, 'has auth jwt, which needs host and user'],
    ['auth without a host', { auth: 'jwt', user: 'app' }, 'has auth jwt, which needs host and user'],
  ])('%s is refused', (_, props, message) => {
    expect(() => stackWith(props)).toThrow(message)
  })

  test('secret and auth together are refused', () => {
    const stack = new Stack(newApp(), 'Stack')
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
    expect(() => new CockroachDatabase(stack, 'Database', { secret, auth: 'jwt', ...SERVER })).toThrow('and not both')
  })

  test('a database with a secret has no statements for the cluster', () => {
    const stack = new Stack(newApp(), 'Stack')
    const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
    const database = new CockroachDatabase(stack, 'Database', { secret })
    const fn = lambda.Function.fromFunctionName(stack, 'Function', 'other')
    expect(() => database.clusterStatements(fn)).toThrow('has no auth')
  })
})

describe('HealthCheckStack with auth', () => {
  const template = (props: HealthCheckStackProps = {}): Template =>
    Template.fromStack(new HealthCheckStack(newApp(), 'Stack', { auth: 'jwt', ...SERVER, ...props }))

  test('has no secret, and its outputs say what to do in the account and on the cluster', () => {
    const made = template()
    made.resourceCountIs('AWS::SecretsManager::Secret', 0)
    const outputs = made.findOutputs('*')
    expect(Object.keys(outputs).slice(0, 3)).toEqual([
      'Step1ShowIssuerOfAccount',
      'Step2RunOnClusterAddingToItsSettings',
      'Step3CheckHealth',
    ])
    expect(outputs.Step1ShowIssuerOfAccount?.Value).toContain('aws iam enable-outbound-web-identity-federation')
    // CloudFormation's limit, with an ARN of 100 characters.
    expect(JSON.stringify(outputs.Step2RunOnClusterAddingToItsSettings?.Value).length).toBeLessThan(924)
  })

  test('reaches STS inside a new VPC, and nothing else of AWS there', () => {
    const made = template({ vpc: true })
    made.resourceCountIs('AWS::EC2::VPCEndpoint', 1)
    made.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      ServiceName: { 'Fn::Join': ['', ['com.amazonaws.', { Ref: 'AWS::Region' }, '.sts']] },
    })
  })

  test('secretName beside auth is refused', () => {
    expect(() => template({ secretName: 'app/db' })).toThrow('auth jwt and secretName app/db exclude each other')
  })
})
