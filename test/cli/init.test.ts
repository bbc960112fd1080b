/** What `init` writes is used as its reader does: tested, synthesised, and run on the layer. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../cli/commands.ts'
import { runCommand } from '../support/command-line.ts'
import { Scratch } from '../support/lambda.ts'
import { startOnLayer } from '../support/layer-function.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { openProduct, type Product } from '../support/product.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const SETUP_TIMEOUT_MS = 120_000
const LANGUAGES = {
  JavaScript: ['.gitignore', 'function.test.mjs', 'function/index.mjs'],
  Python: ['.gitignore', 'build.sh', 'function/greet.py', 'function/index.py', 'requirements.txt', 'test_greet.py'],
} as const
const TOOLS = {
  layer: ['deploy.sh'],
  cdk: ['app.mjs', 'cdk.json'],
  sam: ['template.yaml'],
  terraform: ['main.tf'],
  serverless: ['serverless.yml'],
} as const

/** Blocks by type and name, each a list of them. */
type Blocks = Readonly<Record<string, Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>>>
/** HCL's own parser, without its types: they bring those of browsers along. */
const { parse }: { parse(name: string, text: string): Promise<Readonly<Record<'resource' | 'data', Blocks>>> } =
  createRequire(import.meta.filename)('@cdktf/hcl2json')

let product: Product
let scratch: Scratch

beforeAll(async () => {
  product = await openProduct()
  scratch = await Scratch.make()
  installPackedPackage(scratch.path)
  mkdirSync(join(scratch.path, 'node_modules/.bin'))
  symlinkSync(join(REPOSITORY, 'node_modules/.bin/esbuild'), join(scratch.path, 'node_modules/.bin/esbuild'))
  writeFileSync(join(scratch.path, 'package-lock.json'), '{}')
}, SETUP_TIMEOUT_MS)

afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await scratch?.[Symbol.asyncDispose]()
})

/** Below the folder with the installed package. */
const folderOf = (name: string): string => join(scratch.path, name)
const init = (...words: string[]) => runCommand(['init', ...words], { secrets: [] })
const node = (folder: string, ...words: string[]): string =>
  execFileSync(process.execPath, words, { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } })

test('the help names each tool', () => {
  const { options = {} } = COMMANDS.find(({ name }) => name === 'init') ?? {}
  expect(Object.keys(options)).toEqual([...Object.keys(TOOLS), 'python', 'secret-id', 'help'])
})

describe.each(Object.entries(TOOLS))('--%s', (tool, own) => {
  test.each([
    ['JavaScript', [], 'nodejs24.x', 'node --test'],
    ['Python', ['--python'], 'python3.13', 'python3 -m unittest'],
  ] as const)('writes its files in %s, and says which and what comes next', async (language, words, runtime, tests) => {
    const folder = folderOf(`${tool}-${language}`)
    const { code, stdout } = await init(`--${tool}`, ...words, '--secret-id', 'shop/db', folder)
    const files = [...LANGUAGES[language], ...own]
    expect([code, files.filter((path) => !existsSync(join(folder, path)))]).toEqual([0, []])
    for (const path of files) expect(readFileSync(join(folder, path), 'utf8')).not.toContain('{{')
    expect(own.map((path) => readFileSync(join(folder, path), 'utf8')).join('')).toContain('shop/db')
    const named = runtime.replace('nodejs24.x', 'NODEJS_24_X').replace('python3.13', 'PYTHON_3_13')
    expect(readFileSync(join(folder, own[0]), 'utf8')).toContain(tool === 'cdk' ? `Runtime.${named}` : runtime)
    expect(stdout).toContain(`  ${tests}\n`)
    expect(stdout.includes('  ./build.sh\n')).toBe(language === 'Python')
    expect(stdout.replaceAll('\n', ' ')).toContain(`Written: ${files.toSorted().join(', ')}.`)
    expect(stdout).toContain('  npx cockroach-lambda secret put --secret-id shop/db\n')
    expect(stdout).toContain('  npx cockroach-lambda doctor --secret-id shop/db --function my-function\n')
    expect(stdout.split('\n').filter((line) => line.length > 80 && !/^ {2}(npx|npm|cd) /.test(line))).toEqual([])
    expect(readFileSync(join(folder, '.gitignore'), 'utf8')).toContain('secret.txt')
  })

  test('overwrites nothing, and says what is there', async () => {
    const folder = folderOf(`${tool}-again`)
    await init(`--${tool}`, folder)
    const path = own[0]
    writeFileSync(join(folder, path), 'mine')
    const { code, stderr } = await init(`--${tool}`, folder)
    expect([code, readFileSync(join(folder, path), 'utf8')]).toEqual([2, 'mine'])
    expect(stderr.replaceAll('\n', ' ')).toMatch(/are there already; nothing was written/)
  })
})

test('keeps the .gitignore that is there', async () => {
  const folder = folderOf('with-gitignore')
  mkdirSync(folder)
  writeFileSync(join(folder, '.gitignore'), 'mine')
  const { code, stdout } = await init('--layer', folder)
  expect([code, readFileSync(join(folder, '.gitignore'), 'utf8')]).toEqual([0, 'mine'])
  expect(stdout).not.toContain('.gitignore')
  expect(stdout).toContain(`  cd ${folder}\n`)
})

test('writes nothing where a folder cannot be made, and says which', async () => {
  const folder = folderOf('with-a-file')
  mkdirSync(folder)
  writeFileSync(join(folder, 'function'), '')
  const { code, stderr } = await init('--layer', '--python', folder)
  expect(code).toBe(2)
  expect(stderr.replaceAll('\n', ' ')).toMatch(/the folder .*function cannot be made \(E\w+\); nothing was written/)
  expect(readdirSync(folder)).toEqual(['function'])
})

describe('the function', () => {
  let folder: string
  beforeAll(async () => {
    folder = folderOf('function')
    await init('--layer', folder)
  })

  test('passes its unit test without AWS and without a database', () => {
    expect(node(folder, '--test')).toMatch(/pass 2\n.*fail 0/s)
  })

  test('fails that test when it is changed', () => {
    const changed = folderOf('changed')
    mkdirSync(join(changed, 'function'), { recursive: true })
    const text = readFileSync(join(folder, 'function/index.mjs'), 'utf8')
    writeFileSync(join(changed, 'function/index.mjs'), text.replace('Hello', 'Goodbye'))
    writeFileSync(join(changed, 'function.test.mjs'), readFileSync(join(folder, 'function.test.mjs')))
    expect(() => node(changed, '--test')).toThrow(/Command failed/)
  })

  test('greets on the layer, and reports its health to an empty event', async () => {
    const environment = await startOnLayer(product, join(folder, 'function'))
    expect(await environment.invoke({ name: 'Rex' })).toMatchObject({ ok: true, payload: { greeting: 'Hello, Rex!' } })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { ok: true, tls: { authorized: true } } })
  })
})

test.each([
  ['JavaScript', [], 'nodejs24.x', {}],
  ['Python', ['--python'], 'python3.13', { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/opt/certs/root.crt' }],
] as const)(
  'the CDK app makes the function with layer, secret and permission, in %s',
  async (language, words, runtime, more) => {
    const folder = folderOf(`cdk-app-${language}`)
    await init('--cdk', ...words, folder)
    mkdirSync(join(folder, 'build'), { recursive: true })
    writeFileSync(join(folder, 'package-lock.json'), '{}')
    const { app }: { app: string } = JSON.parse(readFileSync(join(folder, 'cdk.json'), 'utf8'))
    execFileSync('sh', ['-c', app], {
      cwd: folder,
      env: { PATH: `${join(scratch.path, 'node_modules/.bin')}:${process.env.PATH}`, CDK_OUTDIR: 'cdk.out' },
      stdio: 'pipe',
    })
    const template = JSON.parse(readFileSync(join(folder, 'cdk.out/MyStack.template.json'), 'utf8'))
    const ofType = (type: string) =>
      Object.values<{ Type: string; Properties: object }>(template.Resources).filter(({ Type }) => Type === type)
    expect(ofType('AWS::Lambda::Function')[0]?.Properties).toMatchObject({
      ...{ FunctionName: 'my-function', Runtime: runtime, Architectures: ['arm64'], MemorySize: 512, Timeout: 10 },
      ...{ Layers: [expect.any(Object)], Environment: { Variables: { COCKROACH_SECRET_ID: 'app/db', ...more } } },
    })
    expect(JSON.stringify(ofType('AWS::IAM::Policy'))).toContain('secretsmanager:GetSecretValue')
  },
  SETUP_TIMEOUT_MS,
)

test('Terraform’s file is read by its own parser, and has layer, secret and permission', async () => {
  const folder = folderOf('terraform')
  await init('--terraform', folder)
  const text = readFileSync(join(folder, 'main.tf'), 'utf8')
  const { resource, data } = await parse('main.tf', text)
  const inHcl = (reference: string): string => `\${${reference}}`
  const named = (blocks: Blocks, type: string, name: string) => blocks[type]?.[name]?.[0]
  expect(named(resource, 'aws_lambda_function', 'function')).toMatchObject({
    ...{ function_name: 'my-function', runtime: 'nodejs24.x', handler: 'index.handler', timeout: 10 },
    layers: [inHcl('aws_lambda_layer_version.cockroach.arn')],
    environment: [{ variables: { COCKROACH_SECRET_ID: inHcl('data.aws_secretsmanager_secret.database.name') } }],
  })
  expect(named(data, 'aws_secretsmanager_secret', 'database')).toMatchObject({ name: 'app/db' })
  expect(named(resource, 'aws_iam_role_policy', 'secret')?.policy).toContain('secretsmanager:GetSecretValue')
  // Whatever it refers to is declared.
  const declared = [...text.matchAll(/^(?:resource|(data)) "(\w+)" "(\w+)"/gm)].map(([, kind, type, name]) =>
    [...(kind === undefined ? [] : [kind]), type, name].join('.'),
  )
  const used = [...text.matchAll(/\b(?:data\.)?(?:aws|archive)_\w+\.\w+(?=\.)/g)].map(([reference]) => reference)
  expect(used.filter((reference) => !declared.includes(reference))).toEqual([])
  await expect(parse('main.tf', text.replace('{', '{{'))).rejects.toBeDefined()
})

test('the shell script can be run, and its shell accepts it', async () => {
  const folder = folderOf('script')
  await init('--layer', folder)
  const script = join(folder, 'deploy.sh')
  expect(statSync(script).mode & 0o777).toBe(0o755)
  expect(() => execFileSync('sh', ['-n', script])).not.toThrow()
})

test.each([
  [[], /name one tool to deploy with: --layer, --cdk, --sam, --terraform, --serverless/],
  [['--cdk', '--sam'], /name one tool to deploy with/],
  [['--pulumi'], /unknown option/],
  [['--cdk', '--secret-id', "x'; rm -rf ~"], /--secret-id is not the name of a secret \(12 characters\)/],
  [['--cdk', 'one', 'two'], /init has one operand: DIR/],
])('%j is refused', async (words, message) => {
  const { code, stderr } = await init(...words)
  expect(code).toBe(2)
  expect(stderr.replaceAll('\n', ' ')).toMatch(message)
})
