import { CfnParameter, Fn, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as kms from 'aws-cdk-lib/aws-kms'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { describe, expect, test } from 'vitest'
import { CockroachDatabase, type CockroachDatabaseProps } from '../../cdk/index.ts'
import { newApp } from '../support/cdk-app.ts'

const HOME = { account: '111111111111', region: 'us-east-1' }
const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab'

function partialArn(account: string, region: string, name = 'app/db'): string {
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}`
}

/** The template of a function that is connected to a database with this secret; without `env`, account and region are open. */
function connected(
  importSecret: (stack: Stack) => ISecret,
  { env = HOME, ...props }: Partial<CockroachDatabaseProps> & { env?: typeof HOME | Record<string, never> } = {},
  keyOf: (stack: Stack) => kms.IKey | undefined = () => undefined,
) {
  const stack = new Stack(newApp(), 'Stack', { env })
  const fn = new lambda.Function(stack, 'Function', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('0'),
  })
  const encryptionKey = keyOf(stack)
  const secret = importSecret(stack)
  // An imported layer: none has to be built for this test.
  const layer = lambda.LayerVersion.fromLayerVersionArn(
    stack,
    'Layer',
    'arn:aws:lambda:us-east-1:111111111111:layer:cockroach-lambda:1',
  )
  new CockroachDatabase(stack, 'Database', {
    ...{ secret, layer, ...props },
    ...(encryptionKey === undefined ? {} : { encryptionKey }),
  }).connect(fn)
  const template = Template.fromStack(stack)
  const [resource] = Object.values(template.findResources('AWS::Lambda::Function'))
  const [policy] = Object.values(template.findResources('AWS::IAM::Policy'))
  const statements: readonly { Action: unknown; Resource: unknown }[] = policy?.Properties.PolicyDocument.Statement
  return {
    secretId: resource?.Properties.Environment.Variables.COCKROACH_SECRET_ID,
    readable: statements.find(({ Action }) => Array.isArray(Action))?.Resource,
    decrypt: statements.filter(({ Action }) => Action === 'kms:Decrypt'),
  }
}

describe('COCKROACH_SECRET_ID', () => {
  test.each<[string, Parameters<typeof connected>, string]>([
    [
      'a partial ARN of the own account and region: the name',
      [(stack) => Secret.fromSecretPartialArn(stack, 'Secret', partialArn(HOME.account, HOME.region))],
      'app/db',
    ],
    [
      'the same with a name that ends like an ARN: the name',
      [(stack) => Secret.fromSecretPartialArn(stack, 'Secret', partialArn(HOME.account, HOME.region, 'app/db-secret'))],
      'app/db-secret',
    ],
    [
      'a partial ARN of another account: the ARN',
      [(stack) => Secret.fromSecretPartialArn(stack, 'Secret', partialArn('222222222222', HOME.region))],
      partialArn('222222222222', HOME.region),
    ],
    [
      'a partial ARN of another region: the ARN',
      [(stack) => Secret.fromSecretPartialArn(stack, 'Secret', partialArn(HOME.account, 'eu-west-1'))],
      partialArn(HOME.account, 'eu-west-1'),
    ],
    [
      'a partial ARN in a stack without account and region: the ARN',
      [(stack) => Secret.fromSecretPartialArn(stack, 'Secret', partialArn(HOME.account, HOME.region)), { env: {} }],
      partialArn(HOME.account, HOME.region),
    ],
    [
      'a complete ARN: the same ARN',
      [(stack) => Secret.fromSecretCompleteArn(stack, 'Secret', `${partialArn('222222222222', 'eu-west-1')}-AbCdEf`)],
      `${partialArn('222222222222', 'eu-west-1')}-AbCdEf`,
    ],
    [
      'a name: the same name',
      [(stack) => Secret.fromSecretNameV2(stack, 'Secret', 'app/db-secret'), { env: {} }],
      'app/db-secret',
    ],
  ])('of %s', (_name, parameters, secretId) => {
    expect(connected(...parameters).secretId).toBe(secretId)
  })

  test.each([
    ['a parameter', (stack: Stack) => new CfnParameter(stack, 'Arn').valueAsString, { Ref: 'Arn' }],
    ['an import', () => Fn.importValue('secret-arn'), { 'Fn::ImportValue': 'secret-arn' }],
  ])('of a partial ARN from %s, which is known at deployment, is that ARN', (_name, arnFrom, secretId) => {
    expect(connected((stack) => Secret.fromSecretPartialArn(stack, 'Secret', arnFrom(stack))).secretId).toEqual(
      secretId,
    )
  })

  test('of a secret made in another stack, for another region, is an ARN there', () => {
    const app = newApp()
    const made = new Stack(app, 'Made', { env: { ...HOME, region: 'eu-west-1' } })
    const secret = new Secret(made, 'Secret', { secretName: 'app/db' })
    const stack = new Stack(app, 'Stack', { env: HOME })
    const fn = new lambda.Function(stack, 'Function', {
      runtime: lambda.Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: lambda.Code.fromInline('0'),
    })
    // @ts-expect-error -- under exactOptionalPropertyTypes the CDK's Secret does not match its own ISecret (secretFullArn).
    new CockroachDatabase(stack, 'Database', { secret }).connect(fn)
    const [resource] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function'))
    expect(JSON.stringify(resource?.Properties.Environment.Variables.COCKROACH_SECRET_ID)).toContain(
      ':secretsmanager:eu-west-1:111111111111:secret:app/db',
    )
  })

  test('a partial ARN of another account that Secrets Manager would read as a complete one is refused', () => {
    const arn = partialArn('222222222222', HOME.region, 'app/db-secret')
    expect(() => connected((stack) => Secret.fromSecretPartialArn(stack, 'Secret', arn))).toThrow(
      /Stack\/Secret cannot be found by this ARN, .*: import it with Secret.fromSecretCompleteArn, or with Secret.fromSecretNameV2 if/,
    )
  })

  test('an ARN given as a name is refused', () => {
    const arn = partialArn(HOME.account, HOME.region)
    expect(() => connected((stack) => Secret.fromSecretNameV2(stack, 'Secret', arn))).toThrow(
      'Stack/Secret was imported with an ARN where a name belongs: import it with Secret.fromSecretCompleteArn',
    )
  })
})

describe('a customer managed key', () => {
  const arn = `${partialArn(HOME.account, HOME.region)}-AbCdEf`
  const withKey = (key: (stack: Stack) => kms.IKey, secretCompleteArn = arn) =>
    connected((stack) => Secret.fromSecretAttributes(stack, 'Secret', { secretCompleteArn, encryptionKey: key(stack) }))
  const decrypt = (Resource: unknown, region: string, more = {}) => ({
    Action: 'kms:Decrypt',
    Effect: 'Allow',
    Resource,
    Condition: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` }, ...more },
  })

  test.each([
    ['of this account', HOME.account],
    ['of another account', '333333333333'],
  ])('%s, imported by its ARN, may be used through Secrets Manager', (_name, account) => {
    const keyArn = `arn:aws:kms:us-east-1:${account}:key/${KEY_ID}`
    const { decrypt: statements } = withKey((stack) => kms.Key.fromKeyArn(stack, 'Key', keyArn))
    expect(statements).toEqual([decrypt(keyArn, 'us-east-1')])
  })

  test("of a secret in another region may be used through that region's Secrets Manager", () => {
    const keyArn = `arn:aws:kms:eu-west-1:222222222222:key/${KEY_ID}`
    const { decrypt: statements } = withKey(
      (stack) => kms.Key.fromKeyArn(stack, 'Key', keyArn),
      `${partialArn('222222222222', 'eu-west-1')}-AbCdEf`,
    )
    expect(statements).toEqual([decrypt(keyArn, 'eu-west-1')])
  })

  test.each<[string, (stack: Stack) => kms.IKey]>([
    ['fromAliasName', (stack) => kms.Alias.fromAliasName(stack, 'Key', 'alias/secrets')],
    ['fromAliasName, without its prefix', (stack) => kms.Alias.fromAliasName(stack, 'Key', 'secrets')],
    [
      'fromAliasAttributes',
      (stack) => {
        const aliasTargetKey = kms.Key.fromKeyArn(stack, 'Target', `arn:aws:kms:us-east-1:111111111111:key/${KEY_ID}`)
        return kms.Alias.fromAliasAttributes(stack, 'Key', { aliasName: 'alias/secrets', aliasTargetKey })
      },
    ],
  ])('imported by its alias (%s) is selected by a condition on the alias', (_name, key) => {
    const resource = { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':kms:us-east-1:111111111111:key/*']] }
    expect(withKey(key).decrypt).toEqual([
      decrypt(resource, 'us-east-1', { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/secrets' } }),
    ])
  })

  test('of a secret imported by name is that of the prop encryptionKey', () => {
    const keyArn = `arn:aws:kms:us-east-1:111111111111:key/${KEY_ID}`
    const { decrypt: statements, readable } = connected(
      (stack) => Secret.fromSecretNameV2(stack, 'Secret', 'app/db'),
      {},
      (stack) => kms.Key.fromKeyArn(stack, 'Key', keyArn),
    )
    expect(statements).toEqual([decrypt(keyArn, 'us-east-1')])
    expect(JSON.stringify(readable)).toContain(':us-east-1:111111111111:secret:app/db-??????')
  })

  test('made in the app needs no statement in the role', () => {
    expect(withKey((stack) => new kms.Key(stack, 'Key')).decrypt).toEqual([])
  })

  test('is in no statement where the secret has none', () => {
    expect(connected((stack) => Secret.fromSecretCompleteArn(stack, 'Secret', arn)).decrypt).toEqual([])
  })
})
