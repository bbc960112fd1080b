/** `-c example=…`: one of `examples/` beside the health check. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Validations } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { AwsSolutionsChecks } from 'cdk-nag'
import { beforeAll, describe, expect, test } from 'vitest'
import { acknowledgeRules } from '../../cdk/acknowledged-rules.ts'
import { addExample } from '../../cdk/example.ts'
import { exampleNames } from '../../cdk/example-folder.ts'
import { exampleFromContext, propsFromContext } from '../../cdk/health-check-context.ts'
import { HealthCheckStack } from '../../cdk/index.ts'
import { appFolder, newApp } from '../support/cdk-app.ts'

const APP = join(import.meta.dirname, '../../cdk/app.ts')
const SYNTH_TIMEOUT_MS = 60_000
const NAMES = await exampleNames()

describe('the context example', () => {
  function read(context: Readonly<Record<string, unknown>>): string | undefined {
    const { node } = newApp()
    for (const [name, value] of Object.entries(context)) node.setContext(name, value)
    propsFromContext(node)
    return exampleFromContext(node, NAMES)
  }

  test('is none by default', () => {
    expect(read({})).toBeUndefined()
  })

  test.each(NAMES)('takes %s', (name) => {
    expect(read({ example: name, secretName: 'app/db' })).toBe(name)
  })

  test.each([
    ['a name that is not there', { example: 'dizzle', secretName: 'app/db' }, `"dizzle"; expected ${NAMES.join(', ')}`],
    ['what all examples share', { example: 'shared', secretName: 'app/db' }, '"shared"; expected '],
    ['no secretName', { example: 'drizzle' }, 'context example needs secretName'],
    ['vpc', { example: 'drizzle', secretName: 'app/db', vpc: 'true' }, 'context example excludes vpc'],
    ['vpcId', { example: 'drizzle', secretName: 'app/db', vpcId: 'vpc-0a' }, 'context example excludes vpcId'],
  ])('refuses %s', (_case, context, message) => {
    expect(() => read(context)).toThrow(message)
  })
})

describe('the app with -c example=plain-sql', () => {
  const out = join(appFolder, 'example')
  let template: Template

  beforeAll(() => {
    const context = JSON.stringify({ example: 'plain-sql', secretName: 'app/db' })
    execFileSync(process.execPath, [APP], {
      env: { ...process.env, CDK_OUTDIR: out, CDK_CONTEXT_JSON: context },
      stdio: 'pipe',
    })
    template = Template.fromJSON(JSON.parse(readFileSync(join(out, 'CockroachHealthCheck.template.json'), 'utf8')))
  }, SYNTH_TIMEOUT_MS)

  /** The function whose description begins so: the logical id, and the properties. */
  function functionOf(description: string) {
    const found = template.findResources('AWS::Lambda::Function')
    const [entry] = Object.entries(found).filter(([, { Properties }]) =>
      Properties.Description?.startsWith(description),
    )
    if (entry === undefined) throw new Error(`no function with the description ${description}`)
    return { id: entry[0], dependsOn: entry[1].DependsOn, properties: entry[1].Properties }
  }

  test.each([
    ['Example plain-sql', 'index.handler'],
    ['Migrations of the example plain-sql', 'migrate.handler'],
  ])('%s has the layer, the secret and its handler', (description, handler) => {
    const { properties } = functionOf(description)
    expect(properties).toMatchObject({ Handler: handler, Runtime: 'nodejs24.x', Layers: [{ Ref: expect.any(String) }] })
    expect(properties.Environment.Variables).toMatchObject({ COCKROACH_SECRET_ID: 'app/db' })
  })

  test('the migrations run on deployment, before the function is made', () => {
    const triggers = Object.entries(template.findResources('Custom::Trigger'))
    expect(triggers).toHaveLength(1)
    const [id, trigger] = triggers[0] ?? ['', {}]
    expect(trigger.Properties).toMatchObject({ InvocationType: 'RequestResponse', ExecuteOnHandlerChange: true })
    const version = template.findResources('AWS::Lambda::Version')[trigger.Properties.HandlerArn.Ref]
    const migration = functionOf('Migrations')
    expect(version?.Properties.FunctionName).toEqual({ Ref: migration.id })
    // Not before its role may read the secret.
    expect(JSON.stringify(migration.dependsOn)).toContain('MigrationRoleDefaultPolicy')
    expect(functionOf('Example').dependsOn).toContain(id)
  })
})

test("an example breaks no rule of cdk-nag's AwsSolutions but those that the sample stack acknowledges", () => {
  const app = newApp()
  const stack = new HealthCheckStack(app, 'Stack', { secretName: 'app/db' })
  acknowledgeRules(stack)
  addExample(stack, 'plain-sql', join(import.meta.dirname, '../../examples/plain-sql'))
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  expect(() => app.synth()).not.toThrow()
})
