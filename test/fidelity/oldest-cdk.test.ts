/** The constructs of the packed package on the oldest aws-cdk-lib of the peer range. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installPackedPackage } from '../support/packed-package.ts'
import { outsidePart } from './support/outside-part.ts'

const NEWEST = join(import.meta.dirname, '../../node_modules')
const OLDEST = outsidePart('oldest-cdk', 'node_modules')
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-oldest-cdk-'))

beforeAll(() => {
  installPackedPackage(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Writes the app, and gives the template that it makes with the CDK of a folder, and that CDK's version. */
function synth(packages: string): { version: string; template: { Resources: Record<string, { Type: string }> } } {
  for (const name of ['aws-cdk-lib', 'constructs']) {
    const link = join(folder, 'node_modules', name)
    unlinkSync(link)
    symlinkSync(join(packages, name), link, 'junction')
  }
  writeFileSync(
    join(folder, 'app.mjs'),
    `import { App, Stack } from 'aws-cdk-lib'
import { Code, Function, Runtime } from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { CockroachDatabase, HealthCheckStack } from 'cockroach-lambda/cdk'

const app = new App({ outdir: 'cdk.out', treeMetadata: false })
const stack = new HealthCheckStack(app, 'Stack', { schedule: 'rate(5 minutes)', vpc: true, dashboard: true })
const fn = new Function(stack, 'Mine', {
  runtime: Runtime.NODEJS_22_X,
  handler: 'index.handler',
  code: Code.fromInline('exports.handler = async () => 1'),
})
new CockroachDatabase(stack, 'MyDatabase', { secret: Secret.fromSecretNameV2(stack, 'MySecret', 'app/db') }).connect(fn)
app.synth()
`,
  )
  execFileSync(process.execPath, ['app.mjs'], { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } })
  const manifest: { version: string } = JSON.parse(readFileSync(join(packages, 'aws-cdk-lib/package.json'), 'utf8'))
  return {
    version: manifest.version,
    template: JSON.parse(readFileSync(join(folder, 'cdk.out/Stack.template.json'), 'utf8')),
  }
}

test('they make the same kinds of resources as on the newest', () => {
  const kinds = ({ template }: ReturnType<typeof synth>) =>
    Object.values(template.Resources)
      .map(({ Type }) => Type)
      .toSorted()
  const oldest = synth(OLDEST)
  const newest = synth(NEWEST)
  expect(oldest.version).not.toBe(newest.version)
  expect(kinds(oldest)).toEqual(kinds(newest))
  expect(kinds(oldest)).toEqual(expect.arrayContaining(['AWS::Lambda::LayerVersion', 'AWS::CloudWatch::Dashboard']))
})
