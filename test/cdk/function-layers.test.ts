import { NestedStack, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { describe, expect, test } from 'vitest'
import { CockroachDatabase, CockroachLayer } from '../../cdk/index.ts'
import { newApp } from '../support/cdk-app.ts'

const { NODEJS_24_X, PYTHON_3_13 } = lambda.Runtime

function functionIn(scope: Construct, id: string, runtime = NODEJS_24_X): lambda.Function {
  return new lambda.Function(scope, id, { runtime, handler: 'index.handler', code: lambda.Code.fromInline('pass') })
}

function databaseIn(scope: Construct, layer?: lambda.ILayerVersion): CockroachDatabase {
  const secret = Secret.fromSecretNameV2(scope, 'Secret', 'app/db')
  return new CockroachDatabase(scope, 'Database', { secret, ...(layer === undefined ? {} : { layer }) })
}

/** What CloudFormation would lock: an export, and who imports it. */
function sharesBetweenStacks(...stacks: readonly Stack[]): boolean {
  return stacks.some((stack) => /"Export"|"Fn::ImportValue"/.test(JSON.stringify(Template.fromStack(stack))))
}

describe('without the prop layer', () => {
  test('each stack with functions has one layer of its own, and exports nothing', () => {
    const app = newApp()
    const [home, other] = [new Stack(app, 'Home'), new Stack(app, 'Other')]
    const database = databaseIn(home)
    for (const stack of [home, other]) {
      for (const [id, runtime] of Object.entries({ One: NODEJS_24_X, Two: NODEJS_24_X, Three: PYTHON_3_13 })) {
        database.connect(functionIn(stack, id, runtime))
      }
    }
    expect(sharesBetweenStacks(home, other)).toBe(false)
    for (const stack of [home, other]) {
      const template = Template.fromStack(stack)
      const [id, ...more] = Object.keys(template.findResources('AWS::Lambda::LayerVersion'))
      expect(more).toEqual([])
      template.allResourcesProperties('AWS::Lambda::Function', { Layers: [{ Ref: id }] })
    }
  })

  test('two databases of one stack, with functions in another, have a layer each', () => {
    const app = newApp()
    const other = new Stack(app, 'Other')
    for (const id of ['One', 'Two']) databaseIn(new Stack(app, id)).connect(functionIn(other, id))
    Template.fromStack(other).resourceCountIs('AWS::Lambda::LayerVersion', 2)
  })

  test('a nested stack takes the layer of its parent', () => {
    const parent = new Stack(newApp(), 'Parent')
    const database = databaseIn(parent)
    const nested = new NestedStack(parent, 'Nested')
    database.connect(functionIn(nested, 'Function'))
    Template.fromStack(parent).resourceCountIs('AWS::Lambda::LayerVersion', 1)
    Template.fromStack(nested).resourceCountIs('AWS::Lambda::LayerVersion', 0)
  })
})

describe('with the prop layer', () => {
  const PARAMETER = '/cockroach-lambda/layer'

  test('a layer of another stack is attached as it is, by an export', () => {
    const app = newApp()
    const [shared, stack] = [new Stack(app, 'Shared'), new Stack(app, 'Stack')]
    databaseIn(stack, new CockroachLayer(shared, 'Layer')).connect(functionIn(stack, 'Function'))
    expect(sharesBetweenStacks(shared, stack)).toBe(true)
    Template.fromStack(stack).resourceCountIs('AWS::Lambda::LayerVersion', 0)
  })

  test.each<[string, (shared: Stack, stack: Stack) => lambda.ILayerVersion]>([
    ['of the own stack', (_shared, stack) => new CockroachLayer(stack, 'Layer')],
    [
      'known by its ARN',
      (shared) => lambda.LayerVersion.fromLayerVersionArn(shared, 'Layer', 'arn:aws:lambda:us-east-1:1:layer:l:1'),
    ],
    [
      'whose ARN is in an SSM parameter',
      (shared, stack) => {
        const { layerVersionArn: stringValue } = new CockroachLayer(shared, 'Layer')
        new StringParameter(shared, 'LayerArn', { parameterName: PARAMETER, stringValue })
        const arn = StringParameter.valueForStringParameter(stack, PARAMETER)
        return lambda.LayerVersion.fromLayerVersionArn(stack, 'Layer', arn)
      },
    ],
  ])('a layer %s exports nothing', (_name, layerOf) => {
    const app = newApp()
    const [shared, stack] = [new Stack(app, 'Shared'), new Stack(app, 'Stack')]
    databaseIn(stack, layerOf(shared, stack)).connect(functionIn(stack, 'Function'))
    expect(sharesBetweenStacks(shared, stack)).toBe(false)
  })
})
