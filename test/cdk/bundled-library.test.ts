/** NodejsFunction as its documentation has it: bundled by esbuild from a folder where the package is installed, then run beside the layer. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Stack } from 'aws-cdk-lib'
import { Annotations, Match } from 'aws-cdk-lib/assertions'
import * as lambda from 'aws-cdk-lib/aws-lambda'
import { type BundlingOptions, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CockroachDatabase, CockroachLayer } from '../../cdk/index.ts'
import { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { functionFromTemplate } from '../../local/lambda/template.ts'
import { newApp } from '../support/cdk-app.ts'
import { installPackedPackage } from '../support/packed-package.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PACK_TIMEOUT_MS = 60_000

/** Answers with the code of an error that only the library makes. */
const HANDLER = `
import { ConnectionError, healthCheck } from 'cockroach-lambda'
export const handler = async () => {
  const { ok, error } = await healthCheck()
  return { ok, code: error?.code, isClass: new ConnectionError('ERR_CONFIG', 'text') instanceof Error }
}
`

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-nodejs-function-'))
  installPackedPackage(folder)
  mkdirSync(join(folder, 'node_modules/.bin'))
  symlinkSync(join(REPOSITORY, 'node_modules/.bin/esbuild'), join(folder, 'node_modules/.bin/esbuild'))
  writeFileSync(join(folder, 'package.json'), '{}')
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'handler.ts'), HANDLER)
}, PACK_TIMEOUT_MS)
afterAll(() => rmSync(folder, { recursive: true }))

function nodejsFunction(name: string, bundling: BundlingOptions | undefined) {
  const app = newApp(name)
  const stack = new Stack(app, 'Stack')
  const fn = new NodejsFunction(stack, 'Function', {
    entry: join(folder, 'handler.ts'),
    depsLockFilePath: join(folder, 'package-lock.json'),
    runtime: lambda.Runtime.NODEJS_24_X,
    ...(bundling === undefined ? {} : { bundling }),
  })
  const secret = Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
  return { app, fn, database: new CockroachDatabase(stack, 'Database', { secret }) }
}

describe('a NodejsFunction that bundles the library is refused, with the line to add', () => {
  test.each<[string, BundlingOptions | undefined]>([
    ['by default', undefined],
    ['minified', { minify: true }],
    ['as an ES module', { format: OutputFormat.ESM }],
    ['as a minified ES module', { format: OutputFormat.ESM, minify: true, sourceMap: true }],
    ['with other modules left out', { externalModules: ['@aws-sdk/*'] }],
  ])('%s', (name, bundling) => {
    const { fn, database } = nodejsFunction(name, bundling)
    expect(() => database.connect(fn)).toThrow(
      'Stack/Function bundles cockroach-lambda, which is in the layer: leave it out with bundling: { externalModules: CockroachLayer.externalModules }',
    )
  })
})

describe('with CockroachLayer.externalModules a NodejsFunction runs on the layer', () => {
  const { externalModules } = CockroachLayer
  test.each<[string, BundlingOptions]>([
    ['as a CommonJS module', { externalModules }],
    ['as an ES module', { externalModules, format: OutputFormat.ESM }],
    ['as a minified ES module', { externalModules, format: OutputFormat.ESM, minify: true }],
  ])('%s', async (name, bundling) => {
    const { app, fn, database } = nodejsFunction(`external ${name}`, bundling)
    database.connect(fn)
    const cdkOut = app.synth().directory
    const definition = await functionFromTemplate({ cdkOut, stackName: 'Stack', resolve: () => undefined })
    await using environment = await ExecutionEnvironment.start(definition, {
      // Nothing listens on the discard port.
      environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' },
    })
    const { payload, error } = await environment.invoke({})
    expect(error).toBeUndefined()
    expect(payload).toEqual({ ok: false, code: 'ERR_SECRET_UNAVAILABLE', isClass: true })
  })
})

describe('a folder of code with the package in its node_modules', () => {
  function connected(codeFolder: string) {
    const stack = new Stack(newApp(), 'Stack')
    const fn = new lambda.Function(stack, 'Function', {
      ...{ runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromAsset(codeFolder) },
    })
    const secret = Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
    new CockroachDatabase(stack, 'Database', { secret }).connect(fn)
    return Annotations.fromStack(stack).findWarning('*', Match.anyValue())
  }

  test('is connected, with a warning that the layer is not what runs', () => {
    const code = mkdtempSync(join(folder, 'installed-'))
    const installed = join(code, 'node_modules/cockroach-lambda')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'package.json'), '{}')
    const [warning, ...others] = connected(code)
    expect(warning?.entry.data).toMatch(
      /^Stack\/Function has cockroach-lambda in its node_modules, which is used instead of the layer's/,
    )
    expect(others).toEqual([])
  })

  test('gives no warning without it', () => {
    const code = mkdtempSync(join(folder, 'alone-'))
    writeFileSync(join(code, 'index.js'), '')
    expect(connected(code)).toEqual([])
  })
})

test('a function with inline code, which has no bundle, is accepted', () => {
  const stack = new Stack(newApp(), 'Stack')
  const fn = new lambda.Function(stack, 'Function', {
    ...{ runtime: lambda.Runtime.NODEJS_24_X, handler: 'index.handler', code: lambda.Code.fromInline('0') },
  })
  const secret = Secret.fromSecretNameV2(stack, 'Secret', 'app/db')
  expect(() => new CockroachDatabase(stack, 'Database', { secret }).connect(fn)).not.toThrow()
})
