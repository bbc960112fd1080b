/** Every snippet of docs/passwordless.md is run, or compared with what the code does; and its tables. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import * as iam from 'aws-cdk-lib/aws-iam'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { grantToken } from '../../cdk/token-login.ts'
import { SYSTEM_CLOCK } from '../../src/base/clock.ts'
import { ConnectionError } from '../../src/base/connection-error.ts'
import { JwtSource } from '../../src/password-source/jwt.ts'
import { openCloud, type TestCloud } from '../support/database.ts'
import { startFunction } from '../support/lambda.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { codeIn, readPage, tableOf } from '../support/page.ts'
import { rejection } from '../support/product.ts'
import { type SignedTokens, signedTokens } from '../support/signed-token.ts'
import { SECRET_ACCESS_KEY } from '../support/token-login.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const PAGE = readPage('docs/passwordless.md')
const SETUP_TIMEOUT_MS = 120_000

/** What each block has in it, in the order of the page. */
const BLOCKS = {
  rds: '@aws-sdk/rds-signer',
  dsql: '@aws-sdk/dsql-signer',
  issuer: 'aws iam',
  policy: 'sts:GetWebIdentityToken',
  cluster: 'SHOW CLUSTER SETTING',
  cdk: 'new CockroachDatabase(',
} as const

function block(name: keyof typeof BLOCKS): string {
  return PAGE.snippets[Object.keys(BLOCKS).indexOf(name)]?.text ?? ''
}

test('the page has these blocks, and no other', () => {
  const words = Object.values(BLOCKS)
  expect(PAGE.snippets).toHaveLength(words.length)
  for (const [index, { text }] of PAGE.snippets.entries()) expect(text).toContain(words[index])
})

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-passwordless-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the function logs in with the token of', () => {
  let cloud: TestCloud

  beforeAll(async () => {
    cloud = await openCloud({ routing: false, hosts: ['localhost'] })
    await cloud.postgres.askInClearText(cloud.user)
  })

  afterAll(async () => {
    await cloud?.[Symbol.asyncDispose]()
  })

  /** Runs the block as a function on the layer, bundled with the package that signs. */
  async function answerOf(name: 'rds' | 'dsql'): Promise<unknown> {
    const code = mkdtempSync(join(folder, 'code-'))
    await build({
      stdin: { contents: block(name), resolveDir: REPOSITORY },
      outfile: join(code, 'index.mjs'),
      ...{ bundle: true, platform: 'node', format: 'esm', external: ['cockroach-lambda'], logLevel: 'error' },
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
      tsconfigRaw: {},
    })
    const environment = await startFunction('index.handler', {
      code,
      layers: [join(REPOSITORY, 'dist/layer.zip')],
      environment: {
        ...{ PGHOST: 'localhost', PGPORT: String(cloud.standIn.port), PGUSER: cloud.user, PGDATABASE: cloud.database },
        PGSSLROOTCERT: cloud.authority.certificate,
      },
    })
    const { payload, error } = await environment.invoke({})
    for (const token of tokens) expect(environment.output).not.toContain(token)
    return payload ?? error
  }

  const tokens: string[] = []

  function expectTokens(expected: Pick<SignedTokens, 'service' | 'action' | 'host'>): void {
    const check = signedTokens({
      ...expected,
      ...{ region: 'us-east-1', accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: SECRET_ACCESS_KEY },
      ...{ sessionToken: 'local-session-token', password: cloud.password },
    })
    cloud.standIn.exchangePassword = (login) => {
      tokens.push(login.password)
      return check(login)
    }
  }

  const port = () => cloud.standIn.port

  test('RDS', { timeout: SETUP_TIMEOUT_MS }, async () => {
    const action = { Action: 'connect', DBUser: cloud.user }
    expectTokens({ service: 'rds-db', action, host: `localhost:${port()}` })
    expect(await answerOf('rds')).toEqual({ one: 1 })
  })

  test('Aurora DSQL', { timeout: SETUP_TIMEOUT_MS }, async () => {
    expectTokens({ service: 'dsql', action: { Action: 'DbConnect' }, host: 'localhost' })
    expect(await answerOf('dsql')).toEqual({ one: 1 })
  })

  test('RDS, and not with one for another user', { timeout: SETUP_TIMEOUT_MS }, async () => {
    expectTokens({ service: 'rds-db', action: { Action: 'connect', DBUser: 'other' }, host: `localhost:${port()}` })
    expect(JSON.stringify(await answerOf('rds'))).toContain('the server refused this password')
  })
})

test('the lines of the shell are commands of AWS', () => {
  expect(block('issuer').trim().split('\n')).toEqual([
    'aws iam enable-outbound-web-identity-federation',
    'aws iam get-outbound-web-identity-federation-info',
  ])
})

test('the policy is the one that the CDK writes', () => {
  const stack = new Stack(new App({ outdir: join(folder, 'policy') }), 'Stack')
  const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') })
  grantToken(role, 'db.example.com')
  const [policy] = Object.values(Template.fromStack(stack).findResources('AWS::IAM::Policy'))
  expect(JSON.parse(block('policy'))).toEqual(policy?.Properties.PolicyDocument)
})

test('the SQL shows each setting before it changes it', () => {
  const lines = block('cluster').trim().split(/\n+/)
  const named = (verb: string) =>
    lines.flatMap((line) => new RegExp(`^${verb} CLUSTER SETTING (server\\.[\\w.]+)( = .+)?;$`).exec(line)?.[1] ?? [])
  const [shown, set] = [named('SHOW'), named('SET')]
  expect([...shown, ...set]).toHaveLength(lines.length)
  const flags = set.filter((name) => name.endsWith('enabled'))
  expect(set.filter((name) => !flags.includes(name))).toEqual(shown)
})

describe('the CDK program', () => {
  beforeAll(() => {
    installPackedPackage(folder)
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
    symlinkSync(join(REPOSITORY, 'node_modules/.bin/esbuild'), join(folder, 'node_modules/.bin/esbuild'))
    for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(folder, name), '{}')
    writeFileSync(join(folder, 'my-function.ts'), 'export const handler = async () => undefined\n')
    writeFileSync(join(folder, 'program.mts'), block('cdk'))
  }, SETUP_TIMEOUT_MS)

  test('passes the type check', { timeout: SETUP_TIMEOUT_MS }, () => {
    const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--noEmit', '--skipLibCheck']
    const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc')
    const program = ['--types', 'node', 'program.mts']
    execFileSync(process.execPath, [tsc, ...options, ...program], { cwd: folder, stdio: 'pipe' })
  })

  test('makes a function that may ask for tokens, and has the statements as an output', {
    timeout: SETUP_TIMEOUT_MS,
  }, () => {
    const env = { PATH: process.env.PATH, HOME: folder, CDK_OUTDIR: join(folder, 'cdk.out') }
    execFileSync(process.execPath, ['program.mts'], { cwd: folder, env, stdio: 'pipe' })
    const template = readFileSync(join(folder, 'cdk.out/Orders.template.json'), 'utf8')
    expect(template).toContain('"sts:GetWebIdentityToken"')
    expect(JSON.parse(template).Outputs).toHaveProperty('ClusterStatements')
  })
})

/** A source whose STS answers with an error of this code. */
function sourceOf(code: string): JwtSource {
  const body = `<ErrorResponse><Error><Code>${code}</Code><Message>words</Message></Error></ErrorResponse>`
  return new JwtSource({
    post: async () => ({ statusCode: 400, body }),
    shown: (text) => text,
    waitMs: () => 0,
    clock: SYSTEM_CLOCK,
    isForSnapshot: () => false,
    limitMs: 1000,
  })
}

describe('the hint of the error names the setting of the table:', () => {
  const rows = tableOf(PAGE, 'When the cluster refuses').flatMap(([messages, change]) =>
    codeIn(messages)
      .filter((message) => message.startsWith('JWT authentication: '))
      .map((message) => [message, codeIn(change)[0] ?? ''] as const),
  )

  test('the table has all nine', () => {
    expect(rows).toHaveLength(9)
  })

  test.each(rows)('%s, %s', (message, setting) => {
    const { hint } = sourceOf('').explained('orders', new ConnectionError('ERR_AUTHENTICATION', message))
    expect(hint).toContain(setting)
  })
})

test.each(
  tableOf(PAGE, 'When STS gives no token').flatMap(([codes]) =>
    codeIn(codes).filter((code) => /^[A-Z][a-z]|^JWT/.test(code)),
  ),
)('the error of %s has a hint of its own, or that it ends by itself', async (code) => {
  const error = await rejection(sourceOf(code).token('orders'))
  expect(error).toMatchObject({ code: 'ERR_PASSWORD_UNAVAILABLE', message: expect.stringContaining(code) })
  expect(error.hint).not.toContain('Can the function reach STS')
})
