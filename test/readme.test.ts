import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Match, Template } from 'aws-cdk-lib/assertions'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ExecutionEnvironment } from '../local/lambda/execution-environment.ts'
import type { FunctionDefinition } from '../local/lambda/function-definition.ts'
import { functionFromTemplate } from '../local/lambda/template.ts'
import { SecretsManagerStandIn } from '../local/secrets-manager/stand-in.ts'
import * as library from '../src/index.ts'
import { parseSecret } from '../src/secret/value/parse.ts'
import { openCloud, type TestCloud } from './support/database.ts'
import { installPackedPackage } from './support/packed-package.ts'
import { codeIn, readPage, SNIPPETS, tableOf } from './support/page.ts'
import { awsEnvironment } from './support/product.ts'

const REPOSITORY = join(import.meta.dirname, '..')
const LAYER = join(REPOSITORY, 'dist/layer.zip')
const LOOPBACK_NAMES = join(REPOSITORY, 'local/loopback/names-preload.ts')
const README = readPage('README.md')
/** As the README names it. */
const SECRET = 'app/db'
const SETUP_TIMEOUT_MS = 120_000

const source = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8')
const packageJson: { readonly version: string; readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  source('package.json'),
)

/** Those of two pages have test files of their own. */
const ELSEWHERE = new Set(
  ['docs/local-development.md', 'docs/passwordless.md'].flatMap((path) =>
    readPage(path).snippets.map(({ text }) => text),
  ),
)
const HERE = SNIPPETS.filter(({ text }) => !ELSEWHERE.has(text))

/** The one snippet of a language with these words in it. */
function snippet(language: string, words: string): string {
  const [found, ...others] = HERE.filter((each) => each.language === language && each.text.includes(words))
  if (found === undefined || others.length > 0)
    expect.fail(`not exactly one ${language} block of all pages has ${words}`)
  return found.text
}

describe('snippets', () => {
  let folder: string
  let cloud: TestCloud
  let secretsManager: SecretsManagerStandIn

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-readme-'))
    cloud = await openCloud()
    secretsManager = await SecretsManagerStandIn.start()
    const { host, standIn, user, password } = cloud
    const text = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${standIn.port}/defaultdb?sslmode=verify-full`
    secretsManager.secrets.create(SECRET, text)
    installPackedPackage(folder)
    // A cluster's own CA, instead of the public ones in the layer, and in the home folder of a container.
    for (const parent of ['own-ca/certs', 'home/.postgresql']) {
      mkdirSync(join(folder, parent), { recursive: true })
      writeFileSync(join(folder, parent, 'root.crt'), cloud.authority.certificate)
    }
  }, SETUP_TIMEOUT_MS)

  afterAll(async () => {
    await secretsManager?.stop()
    await cloud?.[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  /** Runs a module outside Lambda, beside the installed package; it must end by itself. Returns what it prints. */
  async function runInContainer(text: string): Promise<string> {
    const file = join(folder, 'container.mjs')
    writeFileSync(file, text)
    // Not execFileSync: the stand-ins live in this process.
    const { stdout } = await promisify(execFile)(process.execPath, [`--import=${LOOPBACK_NAMES}`, file], {
      cwd: folder,
      env: { ...awsEnvironment(secretsManager), COCKROACH_SECRET_ID: SECRET, HOME: join(folder, 'home') },
      timeout: 30_000,
    })
    return stdout
  }

  /** Runs a module as a function with the layer; a module without a handler gets one, which answers with `answer`. */
  async function runInLambda(text: string, answer = 'null'): Promise<{ payload: unknown; opt: string }> {
    const code = mkdtempSync(join(folder, 'code-'))
    const isCommonJs = text.includes('require(')
    const hasHandler = /\bhandler\b/.test(text)
    writeFileSync(
      join(code, isCommonJs ? 'index.cjs' : 'index.mjs'),
      hasHandler ? text : `${text}\nexport const handler = async () => ${answer}\n`,
    )
    const definition: FunctionDefinition = {
      handler: 'index.handler',
      code,
      layers: [LAYER, join(folder, 'own-ca')],
      environment: { COCKROACH_SECRET_ID: SECRET },
      timeoutSeconds: 10,
      memoryMb: 256,
      runtime: 'nodejs24.x',
    }
    await using environment = await ExecutionEnvironment.start(definition, {
      execArgv: [`--import=${LOOPBACK_NAMES}`],
      environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
    })
    const result = await environment.invoke({})
    expect(result, environment.output).toMatchObject({ ok: true })
    return { payload: result.payload, opt: environment.opt }
  }

  /** Every block of every page but the lines of a shell, which have a table of their own. */
  const RUN: readonly [language: string, words: string][] = [
    ['js', 'withDatabase(async'],
    ['js', 'exports.handler'],
    ['ts', "new NodejsFunction(stack, 'MyFunction'"],
    ['js', 'await close()'],
    ['js', 'transaction(async'],
    ['js', 'text = await connectionString()'],
    ['ts', 'ready as then'],
    ['ts', 'StringParameter.valueForStringParameter'],
    ['json', '"sslcert"'],
    ['js', 'error.safeToRetry'],
    ['py', 'import psycopg2'],
    ['json', 'secretsmanager:GetSecretValue'],
    ['js', 'new NodeTracerProvider'],
    ['js', 'tracingChannel('],
    ['js', 'new SourceMap('],
    ['js', 'new URL(await'],
    ['js', 'healthCheck()'],
  ]

  test('each is run by a test below', () => {
    expect(HERE.filter(({ language }) => language !== 'sh')).toEqual(
      RUN.map(([language, words]) => ({ language, text: snippet(language, words) })),
    )
  })

  test('the secret with a client certificate is read, and has both halves', () => {
    const { fields, warnings } = parseSecret(snippet('json', '"sslcert"'), {
      origin: { code: 'ERR_SECRET_INVALID', name: `secret "${SECRET}"` },
    })
    expect(Object.keys(fields).toSorted()).toEqual(['dbname', 'host', 'sslcert', 'sslkey', 'sslrootcert', 'user'])
    expect(warnings).toEqual([])
  })

  test('the Python function is the one that runs under AWS’s own client', () => {
    expect(`\n${snippet('py', 'import psycopg2')}`).toBe(
      source('test/fixtures/fidelity/python/function.py').replace(/^"""[^"]+"""\n/, ''),
    )
    expect(source('test/fidelity/libpq.test.ts')).toContain("'function.handler'")
  })

  test('the handler with withDatabase answers', async () => {
    expect((await runInLambda(snippet('js', 'withDatabase(async'))).payload).toEqual({ greeting: 'hello' })
  })

  test('the CommonJS handler answers', async () => {
    const { payload } = await runInLambda(snippet('js', 'exports.handler'))
    expect(payload).toEqual({ now: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) })
  })

  test('the handler of docs/errors.md answers', async () => {
    expect((await runInLambda(snippet('js', 'error.safeToRetry'))).payload).toEqual({ one: 1 })
  })

  test('the handler of docs/troubleshooting.md reports health', async () => {
    expect((await runInLambda(snippet('js', 'healthCheck()'))).payload).toMatchObject({
      ok: true,
      tls: { authorized: true },
    })
  })

  test('connectionString returns what the comment says', async () => {
    const text = snippet('js', 'text = await connectionString()')
    const [, promised] = /^\/\/ (postgresql:.*)$/m.exec(text) ?? []
    const { payload, opt } = await runInLambda(text, 'text')
    const { user, password, standIn } = cloud
    const plain = String(payload)
      .replace(`//${user}:${encodeURIComponent(password)}@`, '//app:…@')
      .replace(`:${standIn.port}/`, ':26257/')
      .replace(opt, '/opt')
    expect(plain).toBe(promised)
  })

  test('the string is taken apart as docs/orms.md does', async () => {
    const { payload } = await runInLambda(snippet('js', 'new URL(await'), '[url.search, ca]')
    expect(payload).toEqual(['', expect.stringContaining('-----BEGIN CERTIFICATE-----')])
  })

  test('the transaction moves the money', async () => {
    await cloud.postgres.query(
      `create table account (id int primary key, balance int not null);
       insert into account values (1, 100), (2, 100);
       grant all on account to public`,
      [],
      cloud.database,
    )
    await runInLambda(snippet('js', 'transaction(async'))
    const rows = await cloud.postgres.query('select id, balance from account order by id', [], cloud.database)
    expect(rows).toEqual([
      { id: 1, balance: 90 },
      { id: 2, balance: 110 },
    ])
  })

  test('the container connects with the CA in its home folder, and ends by itself', async () => {
    expect(await runInContainer(snippet('js', 'await close()'))).toBe(`${cloud.database}\n`)
  })

  const SELECT = `import { close, query } from 'cockroach-lambda'
    await query('select 1')
    await close()`

  test('the tracer provider of docs/observability.md has spans of the library', async () => {
    const listen = `import { trace } from '@opentelemetry/api'
      import { subscribe } from 'node:diagnostics_channel'
      subscribe('tracing:cockroach-lambda:statement:start', () => console.log(trace.getActiveSpan().name))`
    const printed = await runInContainer([snippet('js', 'new NodeTracerProvider'), listen, SELECT].join('\n'))
    expect(printed).toMatch(/^select \S*defaultdb\n$/)
  })

  test('the subscriber of docs/observability.md prints each statement and its time', async () => {
    const printed = await runInContainer(`${snippet('js', 'tracingChannel(')}\n${SELECT}`)
    expect(printed).toMatch(/^select \S+ \d+\.\d+\n$/)
  })

  test('the lines of docs/observability.md find the source of a line of the layer', async () => {
    expect(await runInContainer(snippet('js', 'new SourceMap('))).toMatch(/originalSource: '(?:src|node_modules)\//)
  })

  test('the policy of docs/layer.md allows what the module asks for, on one secret', () => {
    const { Version, Statement } = JSON.parse(snippet('json', 'secretsmanager:GetSecretValue'))
    expect({ Version, Statement }).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'secretsmanager:GetSecretValue',
          // As `connect` grants it for a secret that is imported by its name.
          Resource: expect.stringMatching(/^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:app\/db-\?{6}$/),
        },
      ],
    })
  })

  describe('the CDK programs', () => {
    /** A folder with the function that a program names, and what `new NodejsFunction` looks for. */
    beforeAll(() => {
      mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
      symlinkSync(join(REPOSITORY, 'node_modules/.bin/esbuild'), join(folder, 'node_modules/.bin/esbuild'))
      for (const name of ['package.json', 'package-lock.json']) writeFileSync(join(folder, name), '{}')
      writeFileSync(join(folder, 'my-function.mjs'), snippet('js', 'withDatabase(async'))
      writeFileSync(join(folder, 'my-function.ts'), snippet('ts', 'ready as then'))
    })

    const write = (text: string): string => {
      const file = join(folder, 'program.mts')
      writeFileSync(file, text)
      return file
    }

    /** Runs a program as `cdk synth` does; returns the folder with its templates. */
    function synth(text: string): string {
      const cdkOut = mkdtempSync(join(folder, 'cdk.out-'))
      const env = { PATH: process.env.PATH, HOME: folder, CDK_OUTDIR: cdkOut }
      execFileSync(process.execPath, [write(text)], { cwd: folder, env, stdio: 'pipe' })
      return cdkOut
    }

    const template = (cdkOut: string, stack: string): Template =>
      Template.fromJSON(JSON.parse(readFileSync(join(cdkOut, `${stack}.template.json`), 'utf8')))

    /** What the function of a stack answers, with the stand-in's authority instead of the public ones. */
    async function answerOf(cdkOut: string, stackName: string): Promise<unknown> {
      const definition = await functionFromTemplate({ cdkOut, stackName, resolve: () => undefined })
      await using environment = await ExecutionEnvironment.start(
        { ...definition, layers: [LAYER, join(folder, 'own-ca')] },
        {
          execArgv: [`--import=${LOOPBACK_NAMES}`],
          environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url },
        },
      )
      return (await environment.invoke({})).payload
    }

    test.each(["new NodejsFunction(stack, 'MyFunction'", 'StringParameter.valueForStringParameter', 'ready as then'])(
      'with %s pass the type check',
      { timeout: SETUP_TIMEOUT_MS },
      (words) => {
        const options = ['--module', 'nodenext', '--target', 'es2022', '--strict', '--noEmit', '--skipLibCheck']
        const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc')
        const file = write(snippet('ts', words))
        execFileSync(process.execPath, [tsc, ...options, '--types', 'node', file], { cwd: folder, stdio: 'pipe' })
      },
    )

    test("README's answers as a CommonJS module too, with the function of docs/cdk.md", {
      timeout: SETUP_TIMEOUT_MS,
    }, async () => {
      const text = snippet('ts', "new NodejsFunction(stack, 'MyFunction'")
      const commonJs = text.replace('format: OutputFormat.ESM, ', '').replace('my-function.mjs', 'my-function.ts')
      expect(commonJs.length).toBeLessThan(text.length)
      expect(await answerOf(synth(commonJs), 'MyStack')).toEqual({ one: 1 })
    })

    test("README's makes a function that has the layer, may read the secret, and answers", {
      timeout: SETUP_TIMEOUT_MS,
    }, async () => {
      const cdkOut = synth(snippet('ts', "new NodejsFunction(stack, 'MyFunction'"))
      const made = template(cdkOut, 'MyStack')
      made.resourceCountIs('AWS::Lambda::LayerVersion', 1)
      made.hasResourceProperties('AWS::IAM::Policy', {
        PolicyDocument: {
          Statement: [
            Match.objectLike({ Action: Match.arrayWith(['secretsmanager:GetSecretValue']), Effect: 'Allow' }),
          ],
        },
      })
      made.hasResourceProperties('AWS::Lambda::Function', {
        Layers: [Match.anyValue()],
        Environment: { Variables: Match.objectLike({ COCKROACH_SECRET_ID: Match.anyValue() }) },
      })
      expect(await answerOf(cdkOut, 'MyStack')).toEqual({ greeting: 'hello' })
    })

    test("docs/cdk.md's takes the layer from a parameter, and exports nothing", { timeout: SETUP_TIMEOUT_MS }, () => {
      const cdkOut = synth(snippet('ts', 'StringParameter.valueForStringParameter'))
      const [shared, orders] = ['SharedLayer', 'Orders'].map((stack) => template(cdkOut, stack).toJSON())
      expect(JSON.stringify([shared, orders])).not.toMatch(/"Export"|Fn::ImportValue/)
      expect(Object.values(shared?.Resources)).toContainEqual(
        expect.objectContaining({
          Type: 'AWS::Lambda::LayerVersion',
          DeletionPolicy: 'Retain',
          UpdateReplacePolicy: 'Retain',
        }),
      )
      expect(Object.values(orders?.Parameters)).toContainEqual({
        Type: 'AWS::SSM::Parameter::Value<String>',
        Default: '/cockroach-lambda/layer',
      })
      template(cdkOut, 'Orders').hasResourceProperties('AWS::Lambda::Function', {
        Layers: [{ Ref: Object.keys(orders?.Parameters).find((name) => name.startsWith('SsmParameterValue')) }],
      })
    })
  })
})

describe('lines of a shell', () => {
  /** What runs each: a file that must name it, or `here`. */
  const RUN_BY: Readonly<Record<string, string>> = {
    'npm ci': '.ci/run',
    'npm start': 'test/local/start.test.ts',
    // Part of test:all, which .ci/run runs.
    'npm test': 'package.json',
    'npm run build': 'package.json',
    'npm pack': 'test:fidelity',
    [`npm install ../cockroach-lambda/cockroach-lambda-${packageJson.version}.tgz`]: 'test:fidelity',
    'npx cockroach-lambda init': 'test:fidelity',
    'aws lambda publish-layer-version': 'test:fidelity',
    'aws secretsmanager create-secret': 'test:fidelity',
    'rm secret.txt': 'test:fidelity',
    'npx cdk synth': 'here',
    'npx cdk deploy': 'test:fidelity',
    'npm run check': '.ci/run',
    'npm run publish-layer': 'test:fidelity',
    'aws lambda get-function-configuration': 'test:fidelity',
    'aws lambda update-function-configuration': 'test:fidelity',
    'aws iam put-role-policy': 'test:fidelity',
    'aws lambda invoke': 'test:fidelity',
    'aws iam delete-role-policy': 'test:fidelity',
    'aws lambda delete-layer-version': 'test:fidelity',
    'npx cdk deploy -c example=drizzle -c secretName=app/db': 'test/cdk/example.test.ts',
  }
  const LINES = HERE.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.trim().split(/\n| && /))

  test('each is in the table', () => {
    const commands = LINES.map((line) => line.replace(/ --.*/, ''))
    expect([...new Set(commands)]).toEqual(Object.keys(RUN_BY))
  })

  test.each([
    ['.ci/run', /^step npm ci\nstep npm run check\nstep run_tests test:all\n/m],
    ['test/local/start.test.ts', / = npmStart\(\[\]\)/],
    ['test/cdk/example.test.ts', /'the app with -c example=/],
    ['test/support/npm-start.ts', /spawn\('npm', \['start', /],
    [
      'package.json',
      /"test": "npm run --silent build && vitest run --mode quick",\n *"test:all": "npm run --silent build && vitest run"/,
    ],
  ])('%s runs the lines that the table gives to it', (path, words) => {
    if (!path.startsWith('test/support/')) expect(Object.values(RUN_BY)).toContain(path)
    expect(source(path)).toMatch(words)
  })

  test.each(LINES.filter((line) => line.startsWith('aws ')))('%s is well formed', (line) => {
    expect(line).toMatch(/^aws [a-z]+ [a-z-]+(?: --[a-z]+(?:-[a-z]+)*(?: (?!--)(?:[\w:/.-]+|"[^"]+"))+)+$/)
    for (const [, path = ''] of line.matchAll(/fileb:\/\/(\S+)/g)) expect(() => source(path)).not.toThrow()
  })

  test('npx cdk synth works without an account', { timeout: SETUP_TIMEOUT_MS }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-synth-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const out = join(folder, 'cdk.out')
    const env = { PATH: process.env.PATH, HOME: folder, TMPDIR: folder, CDK_OUTDIR: out }
    const template = execFileSync('npx', ['cdk', 'synth', '--output', out], {
      cwd: REPOSITORY,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    expect(template).toContain('AWS::Lambda::LayerVersion')
  })
})

describe('tables', () => {
  test('API names every export of index.ts and no other', () => {
    const names = tableOf(README, 'API').map(([cell]) => codeIn(cell)[0]?.replace(/\(.*/, ''))
    expect(names.toSorted()).toEqual(Object.keys(library).sort())
  })

  test('API names the members of ConnectionError', () => {
    const row = tableOf(README, 'API').find(([cell]) => cell === '`ConnectionError`')
    const error = new library.ConnectionError('ERR_CONFIG', 'text', { hint: 'hint', cause: 'cause', safeToRetry: true })
    for (const name of codeIn(row?.[1])) expect(error).toHaveProperty(name)
  })

  test.each([
    ['query', 'src/database.ts', 'QueryOptions'],
    ['transaction', 'src/transaction/options.ts', 'TransactionOptions'],
  ])('API names the options of %s', (name, path, type) => {
    const row = tableOf(README, 'API').find(([cell]) => cell?.startsWith(`\`${name}(`))
    const [, listed = ''] = /\{ (.*) \}/.exec(row?.[0] ?? '') ?? []
    expect(listed.split(', ').toSorted()).toEqual(members(path, type).toSorted())
  })

  /** Names of an interface's members, in their order. */
  function members(path: string, name: string): string[] {
    const [, body = ''] = new RegExp(`interface ${name} \\{\\n(.*?)^\\}`, 'ms').exec(source(path)) ?? []
    return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member)
  }

  test('commands of CONTRIBUTING.md are scripts of package.json', () => {
    const CONTRIBUTING = readPage('CONTRIBUTING.md')
    const commands = tableOf(CONTRIBUTING, 'Commands').flatMap(([, ...cells]) => cells.flatMap(codeIn))
    const named = [...tableOf(CONTRIBUTING, 'Commands').flatMap(([cell]) => codeIn(cell)), ...commands]
    const scripts = named.flatMap((text) => /^npm (?:run )?(\w[\w:-]*)/.exec(text)?.[1] ?? [])
    expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(scripts))
    expect(scripts).toEqual(expect.arrayContaining(['start', 'test', 'check', 'build']))
  })
})
