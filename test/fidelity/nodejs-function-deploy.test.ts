/** CDK as people write it, deployed: NodejsFunction in both formats, and a layer for several stacks that is upgraded. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../support/database.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { SNIPPETS } from '../support/page.ts'
import { REGION } from './support/aws-shell.ts'
import { invokeFunction } from './support/deployed-function.ts'
import { ACCOUNT, type Ministack, startMinistack } from './support/ministack.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-nodejs-function-'))
let ministack: Ministack
let cloud: TestCloud

/** The one snippet of all pages with these words. */
function snippet(words: string): string {
  const [found, ...others] = SNIPPETS.filter(({ text }) => text.includes(words))
  if (found === undefined || others.length > 0) expect.fail(`not exactly one block has ${words}`)
  return found.text
}

/** A snippet with a line in it changed, which must be there. */
function changed(text: string, before: string, after: string): string {
  expect(text).toContain(before)
  return text.replace(before, after)
}

beforeAll(async () => {
  cloud = await openCloud()
  ministack = await startMinistack(folder)
  installPackedPackage(folder)
  mkdirSync(join(folder, 'node_modules/.bin'))
  for (const name of ['esbuild', 'cdk']) {
    symlinkSync(join(REPOSITORY, 'node_modules/.bin', name), join(folder, 'node_modules/.bin', name))
  }
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'own-ca.crt'), cloud.authority.certificate)
  writeFileSync(join(folder, 'my-function.ts'), snippet('ready as then'))
  writeFileSync(join(folder, 'my-function.mjs'), snippet('await ready()'))
  const { user, password, host, standIn } = cloud
  const text = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb`
  writeFileSync(join(folder, 'secret.txt'), text)
  await ministack.sh('aws secretsmanager create-secret --name app/db --secret-string file://secret.txt', {
    cwd: folder,
  })
  await ministack.sh(`node_modules/.bin/cdk bootstrap aws://${ACCOUNT}/${REGION} --no-notices`, { cwd: folder })
})

afterAll(async () => {
  await ministack?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function deploy(program: string, stacks = '--all'): Promise<void> {
  writeFileSync(join(folder, 'app.mts'), program)
  await ministack.sh(`node_modules/.bin/cdk deploy ${stacks} --app "node app.mts" --require-approval never`, {
    cwd: folder,
  })
}

/** What the function of a stack answers; ARNs of its layers. */
async function askStack(stack: string): Promise<{ answer: unknown; layers: readonly string[] }> {
  const found: unknown = await ministack.aws(
    `lambda list-functions --query "Functions[?starts_with(FunctionName, '${stack}-')].{name: FunctionName, layers: Layers[].Arn} | [0]"`,
  )
  const { name, layers } = Object(found)
  return { answer: await invokeFunction(ministack, name), layers }
}

describe("the README's CDK start", () => {
  const program = () =>
    changed(
      snippet("new NodejsFunction(stack, 'MyFunction'"),
      "'app/db') })",
      "'app/db'), layer: new CockroachLayer(stack, 'OwnCa', { rootCertificate: 'own-ca.crt' }) })",
    )

  test.each([
    ['as an ES module', () => program(), { greeting: 'hello' }],
    [
      'as a CommonJS module, the default format',
      () => changed(changed(program(), 'format: OutputFormat.ESM, ', ''), 'my-function.mjs', 'my-function.ts'),
      { one: 1 },
    ],
  ])('is deployed %s, and answers from the database', async (_format, text, payload) => {
    await deploy(text())
    expect((await askStack('MyStack')).answer).toEqual({ payload, functionError: undefined })
  })
})

test('a layer that is passed in an SSM parameter is upgraded while another stack uses it', async () => {
  const program = snippet('StringParameter.valueForStringParameter')
  await deploy(program)
  const first = await askStack('Orders')
  // The public authorities do not know the stand-in.
  expect(first.answer).toMatchObject({ payload: { errorMessage: expect.stringContaining('certificate') } })
  await deploy(changed(program, "'Layer')\n", "'Layer', { rootCertificate: 'own-ca.crt' })\n"))
  const second = await askStack('Orders')
  expect(second.answer).toEqual({ payload: { one: 1 }, functionError: undefined })
  expect(second.layers).toHaveLength(1)
  expect(second.layers).not.toEqual(first.layers)
  // Retained, for stacks that are not deployed yet, and for a rollback.
  const name = first.layers[0]?.split(':')[6]
  const count = `lambda list-layer-versions --layer-name ${name} --query "length(LayerVersions)"`
  expect(await ministack.aws(count)).toBe(2)
})
