/** A function's definition, read from a synthesised template. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { functionFromTemplate, type TemplateSource } from '../../../local/lambda/template.ts'

const cdkOut = join(import.meta.dirname, '../../fixtures/lambda', 'cdk-out')
const source: TemplateSource = {
  cdkOut,
  stackName: 'Sample',
  logicalIdPattern: /^HealthCheck/,
  resolve: (logicalId, attribute, type) =>
    type === 'AWS::SecretsManager::Secret' ? `${logicalId}'s ${attribute}` : undefined,
}

test('a function with layers and intrinsics becomes a definition', async () => {
  expect(await functionFromTemplate(source)).toEqual({
    handler: 'index.handler',
    runtime: 'nodejs24.x',
    timeoutSeconds: 30,
    memoryMb: 512,
    code: join(cdkOut, 'asset.aaa'),
    layers: [join(cdkOut, 'asset.bbb.zip'), join(cdkOut, 'asset.ccc')],
    environment: {
      PLAIN: 'text',
      NUMBER: '5',
      REF: "Secret's Ref",
      ATTRIBUTE: "Secret's Id",
      ATTRIBUTE_TEXT: "Secret's Deep.Attribute",
      PARAMETER: 'test',
      PSEUDO: 'aws:us-east-1:123456789012',
      SUB: `Sample/test/Secret's Ref/Secret's Arn/\${Literal}.amazonaws.com`,
      SUB_VARIABLES: "Secret's Ref-test",
      SELECTED: 'b',
    },
  })
})

test("what a function leaves out has Lambda's defaults", async () => {
  expect(await functionFromTemplate({ ...source, logicalIdPattern: /^Small$/ })).toEqual({
    handler: 'index.handler',
    runtime: 'nodejs22.x',
    timeoutSeconds: 3,
    memoryMb: 128,
    code: join(cdkOut, 'asset.aaa'),
    layers: [],
    environment: {},
  })
})

test.each([
  ['several functions match', {}, /^Sample has several functions matching .*; its functions: HealthCheck, Small$/],
  ['no function matches', { logicalIdPattern: /Nobody/ }, /^Sample has no function matching \/Nobody\//],
  ['the stack is not there', { stackName: 'Other' }, /^.+Other\.template\.json does not exist: run cdk synth first$/],
])('an error says that %s', async (_, changes, message) => {
  const { logicalIdPattern: _pattern, ...rest } = source
  await expect(functionFromTemplate({ ...rest, ...changes })).rejects.toThrow(message)
})

describe('what cannot be resolved is an error that names its path', () => {
  let scratch: string
  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'local-template-test-'))
    await cp(cdkOut, scratch, { recursive: true })
  })
  afterAll(() => rm(scratch, { recursive: true, force: true }))

  const path = 'Resources.HealthCheck.Properties'
  const variable = (value: unknown) => ({ Environment: { Variables: { X: value } } })
  test.each([
    [
      variable({ 'Fn::GetAtt': ['Bucket', 'Arn'] }),
      `${path}.Environment.Variables.X: Fn::GetAtt Bucket.Arn (AWS::S3::Bucket) is not known on this machine`,
    ],
    [variable({ Ref: 'Nobody' }), `${path}.Environment.Variables.X: Ref Nobody names nothing in the template`],
    [variable({ Ref: 'Unset' }), `${path}.Environment.Variables.X: parameter Unset has no default`],
    [
      variable({ 'Fn::ImportValue': 'x' }),
      `${path}.Environment.Variables.X: Fn::ImportValue cannot be resolved on this machine`,
    ],
    [variable({ 'Fn::Sub': `\${Nobody.Arn}` }), `${path}.Environment.Variables.X: Fn::GetAtt Nobody.Arn names nothing`],
    [variable({ 'Fn::Join': ['', 'x'] }), `${path}.Environment.Variables.X: expected a list, found "x"`],
    [{ Runtime: 'python3.13' }, `${path}.Runtime: "python3.13" is not one of nodejs22.x, nodejs24.x, nodejs26.x`],
    [{ Handler: undefined }, `${path}.Handler: expected text, found undefined`],
    [{ Code: { ZipFile: 'x' } }, `${path}.Code: expected the S3Key of a file asset`],
    [{ Code: { S3Key: 'nobody.zip' } }, `${path}.Code: no asset has the S3Key nobody.zip`],
    [
      { Layers: ['arn:aws:lambda:us-east-1:1:layer:x:1'] },
      `${path}.Layers[0]: "arn:aws:lambda:us-east-1:1:layer:x:1" is not a layer of this stack`,
    ],
  ])('%j', async (changes, message) => {
    const template = JSON.parse(await readFile(join(cdkOut, 'Sample.template.json'), 'utf8'))
    Object.assign(template.Resources.HealthCheck.Properties, changes)
    await writeFile(join(scratch, 'Sample.template.json'), JSON.stringify(template))
    await expect(functionFromTemplate({ ...source, cdkOut: scratch })).rejects.toThrow(message)
  })
})
