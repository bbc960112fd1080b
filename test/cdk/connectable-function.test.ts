import { join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { experimental } from 'aws-cdk-lib/aws-cloudfront'
import { Repository } from 'aws-cdk-lib/aws-ecr'
import { Role } from 'aws-cdk-lib/aws-iam'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { expect, test } from 'vitest'
import { CockroachDatabase } from '../../cdk/index.ts'
import { newApp } from '../support/cdk-app.ts'

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:111111111111:function:f'

/** Not inline code: the CDK allows that only for runtimes that it knows. */
const code = () => lambda.Code.fromAsset(join(import.meta.dirname, '../fixtures/lambda/task'))

function stackWithDatabase() {
  const stack = new Stack(newApp(), 'Stack')
  const secret = Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
  return { stack, database: new CockroachDatabase(stack, 'Database', { secret }) }
}

function functionOn(stack: Stack, runtime: lambda.Runtime): lambda.Function {
  return new lambda.Function(stack, 'Function', { runtime, handler: 'index.handler', code: code() })
}

/** As JavaScript does: TypeScript refuses what is not a `lambda.Function`. */
function connect(database: CockroachDatabase, fn: unknown): void {
  Reflect.apply(database.connect, database, [fn])
}

test.each<[string, (fn: lambda.Function) => { readonly node: { readonly path: string } }]>([
  ['an alias', (fn) => fn.addAlias('live')],
  ['a version', (fn) => fn.currentVersion],
  [
    'an imported version',
    (fn) => lambda.Version.fromVersionArn(fn, 'Version', 'arn:aws:lambda:us-east-1:1:function:f:1'),
  ],
])('%s is refused, and the error says to connect its function', (_name, of) => {
  const { stack, database } = stackWithDatabase()
  const qualified = of(functionOn(stack, lambda.Runtime.NODEJS_24_X))
  expect(() => connect(database, qualified)).toThrow(
    `${qualified.node.path} is an alias or a version, which has the settings of its function: connect the function`,
  )
})

test.each<[string, (stack: Stack) => lambda.IFunction]>([
  ['imported by ARN', (stack) => lambda.Function.fromFunctionArn(stack, 'Other', FUNCTION_ARN)],
  ['imported by name', (stack) => lambda.Function.fromFunctionName(stack, 'Other', 'f')],
  [
    'imported with its attributes',
    (stack) => {
      const role = Role.fromRoleName(stack, 'Role', 'role')
      const attributes = { functionArn: FUNCTION_ARN, role, sameEnvironment: true, skipPermissions: true }
      return lambda.Function.fromFunctionAttributes(stack, 'Other', attributes)
    },
  ],
])('a function that is %s is refused, and the error says what to do by hand', (_name, of) => {
  const { stack, database } = stackWithDatabase()
  expect(() => connect(database, of(stack))).toThrow(
    'Stack/Other is not made by this app as a lambda.Function, and an imported function cannot be changed: connect it in the app that makes it, or attach the layer there, set COCKROACH_SECRET_ID, and allow its role to read the secret',
  )
})

test('a function of Lambda@Edge is refused, and the error names what to connect instead', () => {
  const { database } = stackWithDatabase()
  const region = { account: '111111111111', region: 'us-east-1' }
  const edge = new experimental.EdgeFunction(new Stack(newApp(), 'Edge', { env: region }), 'Function', {
    ...{ runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: code() },
  })
  expect(() => connect(database, edge)).toThrow(
    'Edge/Function is a function of Lambda@Edge, which has neither layers nor variables: connect a function that the distribution has as an origin, such as one with a function URL',
  )
})

test.each<[string, (stack: Stack) => lambda.Function]>([
  [
    'DockerImageFunction',
    (stack) =>
      new lambda.DockerImageFunction(stack, 'Function', {
        code: lambda.DockerImageCode.fromEcr(Repository.fromRepositoryName(stack, 'Repository', 'app')),
      }),
  ],
  [
    'Function with an image',
    (stack) =>
      new lambda.Function(stack, 'Function', {
        runtime: lambda.Runtime.FROM_IMAGE,
        handler: lambda.Handler.FROM_IMAGE,
        code: lambda.Code.fromEcrImage(Repository.fromRepositoryName(stack, 'Repository', 'app')),
      }),
  ],
])('a %s is refused, and the error says what to put into the image', (_name, of) => {
  const { stack, database } = stackWithDatabase()
  expect(() => database.connect(of(stack))).toThrow(
    'Stack/Function is a container image, which cannot have layers: install cockroach-lambda in the image, grant it the secret with grantRead(fn), and set COCKROACH_SECRET_ID',
  )
})

test('a Python function is connected, with the variables of libpq', () => {
  const { stack, database } = stackWithDatabase()
  database.connect(functionOn(stack, lambda.Runtime.PYTHON_3_13))
  Template.fromStack(stack).hasResourceProperties('AWS::Lambda::Function', {
    Environment: {
      Variables: {
        COCKROACH_SECRET_ID: 'app/db',
        PGSSLMODE: 'verify-full',
        PGSSLROOTCERT: '/opt/certs/root.crt',
      },
    },
    Layers: [Match.anyValue()],
  })
})

test('a singleton is connected, once for all that share its uuid', () => {
  const { stack, database } = stackWithDatabase()
  for (const id of ['One', 'Two']) {
    const props = { uuid: '1', runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: code() }
    database.connect(new lambda.SingletonFunction(stack, id, props))
  }
  const template = Template.fromStack(stack)
  template.resourceCountIs('AWS::Lambda::Function', 1)
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { COCKROACH_SECRET_ID: 'app/db' } },
    Layers: [Match.anyValue()],
  })
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: { Statement: [Match.objectLike({ Action: Match.arrayWith(['secretsmanager:GetSecretValue']) })] },
  })
})

test('an alias of a connected function names a version with the layer and the variables', () => {
  const [alone, connected] = [stackWithDatabase(), stackWithDatabase()].map(({ stack, database }, index) => {
    const fn = functionOn(stack, lambda.Runtime.NODEJS_24_X)
    fn.addAlias('live')
    if (index === 1) database.connect(fn)
    return versionOf(Template.fromStack(stack))
  })
  // Its name has a hash of all that the function is.
  expect(connected).toMatch(/^FunctionCurrentVersion\w+$/)
  expect(connected).not.toBe(alone)
})

function versionOf(template: Template): string {
  return Object.keys(template.findResources('AWS::Lambda::Version')).join()
}

test.each([
  ['nodejs20.x', lambda.Runtime.NODEJS_20_X],
  ['nodejs18.x', lambda.Runtime.NODEJS_18_X],
  ['nodejs8.10', lambda.Runtime.NODEJS_8_10],
  ['nodejs', lambda.Runtime.NODEJS],
])('%s is refused, with the line to set', (name, runtime) => {
  const { stack, database } = stackWithDatabase()
  const fn = functionOn(stack, runtime)
  expect(() => database.connect(fn)).toThrow(
    `Stack/Function runs on ${name}; cockroach-lambda needs nodejs22.x or later: set runtime: Runtime.NODEJS_24_X`,
  )
})

test('nodejs20.x is refused, whatever runtimes the layer lists', () => {
  const { stack } = stackWithDatabase()
  const layer = lambda.LayerVersion.fromLayerVersionArn(stack, 'Layer', 'arn:aws:lambda:us-east-1:1:layer:l:1')
  const secret = Secret.fromSecretNameV2(stack, 'OtherSecret', 'app/db')
  const database = new CockroachDatabase(stack, 'Other', { secret, layer })
  expect(() => database.connect(functionOn(stack, lambda.Runtime.NODEJS_20_X))).toThrow(/runs on nodejs20\.x/)
})

test.each<[string, (stack: Stack) => lambda.Runtime]>([
  ['nodejs22.x', () => lambda.Runtime.NODEJS_22_X],
  ['nodejs26.x', () => new lambda.Runtime('nodejs26.x', lambda.RuntimeFamily.NODEJS)],
  ['NODEJS_LATEST', () => lambda.Runtime.NODEJS_LATEST],
  ["the region's latest Node", (stack) => lambda.determineLatestNodeRuntime(stack)],
])('%s is accepted, without the variables of libpq', (_name, runtimeOf) => {
  const { stack, database } = stackWithDatabase()
  database.connect(functionOn(stack, runtimeOf(stack)))
  const template = Template.fromStack(stack)
  template.hasResourceProperties('AWS::Lambda::Function', {
    Environment: { Variables: { COCKROACH_SECRET_ID: 'app/db' } },
    Layers: [{ Ref: Object.keys(template.findResources('AWS::Lambda::LayerVersion')).join() }],
  })
})
