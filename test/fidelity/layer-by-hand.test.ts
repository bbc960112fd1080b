/** The commands of docs/layer.md, in their order, typed as they stand there but for account, region and own names. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCloud, type TestCloud } from '../support/database.ts'
import { readPage, SNIPPETS } from '../support/page.ts'
import { REGION } from './support/aws-shell.ts'
import { invokeFunction } from './support/deployed-function.ts'
import { ACCOUNT, firstJson, type Ministack, startMinistack } from './support/ministack.ts'

const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-by-hand-'))
const PAGE = readPage('docs/layer.md')
const LINES = PAGE.snippets.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split('\n'))
let ministack: Ministack
let cloud: TestCloud

/** What stands in the page for one account, as it is for this one. */
function here(text: string): string {
  return text.replaceAll('111111111111', ACCOUNT).replaceAll('eu-central-1', REGION)
}

/** Types the one line with these words. */
async function type(...words: readonly string[]): Promise<string> {
  const [line, ...others] = LINES.filter((each) => words.every((word) => each.includes(word)))
  if (line === undefined || others.length > 0) expect.fail(`docs/layer.md: not exactly one line has ${words.join()}`)
  return await ministack.sh(here(line), { cwd: folder })
}

/** The script runs in the repository. */
async function publish(): Promise<string> {
  const line = here(LINES.find((each) => each.startsWith('npm run publish-layer')) ?? '')
  return await ministack.sh(line.replace('npm run', 'npm run --silent'))
}

const arnOf = (region: string, version: number): string =>
  `arn:aws:lambda:${region}:${ACCOUNT}:layer:cockroach-lambda:${version}`

beforeAll(async () => {
  cloud = await openCloud()
  ministack = await startMinistack(folder)
  const { user, password, host, standIn } = cloud
  const secret = {
    url: `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb`,
    // The stand-in's authority instead of the public ones.
    sslrootcert: cloud.authority.certificate,
  }
  writeFileSync(join(folder, 'secret.txt'), JSON.stringify(secret))
  const trust = { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }
  writeFileSync(join(folder, 'trust.json'), JSON.stringify({ Version: '2012-10-17', Statement: [trust] }))
  writeFileSync(join(folder, 'index.js'), SNIPPETS.find(({ text }) => text.includes('exports.handler'))?.text ?? '')
  await ministack.sh(
    `aws secretsmanager create-secret --name app/db --secret-string file://secret.txt
     aws iam create-role --role-name my-role --assume-role-policy-document file://trust.json
     python3 -m zipfile -c own.zip index.js
     aws lambda create-function --function-name my-function --runtime nodejs24.x --handler index.handler --role arn:aws:iam::${ACCOUNT}:role/my-role --zip-file fileb://own.zip`,
    { cwd: folder },
  )
})

afterAll(async () => {
  await ministack?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

test('publish: the layer is published in two regions', async () => {
  expect(await publish()).toBe(`${arnOf(REGION, 1)}\n${arnOf('us-east-1', 1)}\n`)
})

test('attach: the function has layer, variable, memory and timeout', async () => {
  expect(JSON.parse(await type('get-function-configuration'))[0] ?? []).toEqual([])
  expect(JSON.parse(await type('update-function-configuration', ':1 '))).toMatchObject({
    Layers: [{ Arn: arnOf(REGION, 1) }],
    Environment: { Variables: { COCKROACH_SECRET_ID: 'app/db' } },
    MemorySize: 512,
    Timeout: 10,
  })
})

test('allow: the role may read that secret and no other', async () => {
  const [policy] = PAGE.snippets.filter(({ language }) => language === 'json')
  writeFileSync(join(folder, 'policy.json'), here(policy?.text ?? ''))
  await type('put-role-policy')
  const arn = String(await ministack.aws('secretsmanager describe-secret --secret-id app/db --query ARN'))
  for (const [resource, decision] of [
    [arn, 'allowed'],
    [arn.replace('app/db', 'app/other'), 'implicitDeny'],
  ]) {
    const answer = await ministack.aws(
      `iam simulate-principal-policy --policy-source-arn arn:aws:iam::${ACCOUNT}:role/my-role --action-names secretsmanager:GetSecretValue --resource-arns '${resource}' --query EvaluationResults[0].EvalDecision`,
    )
    expect(answer).toBe(decision)
  }
})

test('check: the function answers from the database', async () => {
  expect(firstJson(await type('invoke'))).toEqual({ now: expect.any(String) })
})

test('upgrade: a second version changes the function only when it is attached', async () => {
  expect(await publish()).toBe(`${arnOf(REGION, 2)}\n${arnOf('us-east-1', 2)}\n`)
  const layers = 'lambda get-function-configuration --function-name my-function --query Layers[].Arn'
  expect(await ministack.aws(layers)).toEqual([arnOf(REGION, 1)])
  await type('update-function-configuration', ':2')
  expect(await ministack.aws(layers)).toEqual([arnOf(REGION, 2)])
  expect((await invokeFunction(ministack, 'my-function')).functionError).toBeUndefined()
})

test('remove: function, role and region have nothing of it', async () => {
  expect(JSON.parse(await type('--layers "[]"')).Layers ?? []).toEqual([])
  await type('delete-role-policy')
  expect(await ministack.aws('iam list-role-policies --role-name my-role --query PolicyNames')).toEqual([])
  await type('delete-layer-version')
  const versions = 'lambda list-layer-versions --layer-name cockroach-lambda --query LayerVersions[].Version'
  expect(await ministack.aws(versions)).toEqual([2])
})
