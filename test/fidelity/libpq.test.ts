/** libpq's clients, psycopg2 and psql, with the string of connectionString() and with the variables that the construct sets. */
import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda'
import { Secret } from 'aws-cdk-lib/aws-secretsmanager'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CockroachDatabase } from '../../cdk/index.ts'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { terminalAccess } from '../../local/own-function/terminal.ts'
import { type SampleStack, startSampleStack } from '../../local/sample/stack.ts'
import { newApp } from '../support/cdk-app.ts'
import { startEmulator } from './support/emulator.ts'
import { outsidePart } from './support/outside-part.ts'
import { fixtureFunction, startUnderClient } from './support/sample-functions.ts'

const PROGRAMS = join(import.meta.dirname, '../fixtures/fidelity/python')
const REPOSITORY_CERTIFICATE = join(import.meta.dirname, '../../certs/root.crt')
const PYTHON = outsidePart('psycopg2', 'bin/python')
const PSQL = outsidePart('psql', 'psql')
/** Can stand in a URL as it is, since the article's program writes it there so. */
const PASSWORD = 'Correct123'
const USER = 'article'

let stack: SampleStack
let environment: ExecutionEnvironment
let layerCertificate: string
let printed: string
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-libpq-'))

beforeAll(async () => {
  stack = await startSampleStack()
  await stack.postgres.createUser(USER, PASSWORD)
  environment = await startUnderClient(stack, fixtureFunction('connection-string'))
  const { payload } = await environment.invoke({})
  printed = String(payload)
  layerCertificate = join(environment.opt, 'certs/root.crt')
  copyFileSync(layerCertificate, join(folder, 'root.crt'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await environment?.shutdown()
  await stack?.[Symbol.asyncDispose]()
})

type Variables = Readonly<Record<string, string>>

/** Nothing of ours is inherited; libpq resolves the stand-in's names by a variable of its own. */
async function run(program: string, args: readonly string[], variables: Variables): Promise<string> {
  const env = { HOME: folder, PGHOSTADDR: '127.0.0.1', ...variables }
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env })
  return stdout.trim()
}

const python = (program: string, variables: Variables) => run(PYTHON, [join(PROGRAMS, program)], variables)
const psql = (variables: Variables) => {
  const sql = "select current_user || ' ' || current_database()"
  const { CONNECTION, ...rest } = variables
  return run(PSQL, ['-X', '-At', '-c', sql, ...(CONNECTION === undefined ? [] : [CONNECTION])], rest)
}

/** What the construct sets for a function that does not run on Node, its paths where the layer is here. */
function constructVariables(): Record<string, string> {
  const cdk = new Stack(newApp(), 'Stack')
  const fn = new LambdaFunction(cdk, 'Function', {
    runtime: Runtime.PYTHON_3_13,
    handler: 'function.handler',
    code: Code.fromInline('pass'),
  })
  const secret = Secret.fromSecretNameV2(cdk, 'Secret', 'app/db')
  new CockroachDatabase(cdk, 'Database', { secret }).connect(fn)
  const [properties] = Object.values(Template.fromStack(cdk).findResources('AWS::Lambda::Function'))
  const { PGSSLMODE, PGSSLROOTCERT } = properties?.Properties.Environment.Variables ?? {}
  return { PGSSLMODE, PGSSLROOTCERT: String(PGSSLROOTCERT).replace(/^\/opt(?=\/)/, environment.opt) }
}

/** Where to connect, in libpq's variables; nothing of TLS. */
function target(): Record<string, string> {
  const { port } = stack.cloud
  const [tenant] = stack.cloud.tenants.values()
  if (tenant === undefined) throw new Error('The stand-in has no tenant')
  return {
    PGHOST: tenant.host,
    PGPORT: String(port),
    PGUSER: USER,
    PGPASSWORD: PASSWORD,
    PGDATABASE: `${tenant.host.split('.')[0]}.defaultdb`,
  }
}

/** The parts of the article's string. */
function parts(): Record<string, string> {
  const { PGHOST = '', PGPORT = '' } = target()
  const [cluster = '', ...random] = PGHOST.replace(/\.cockroachlabs\.cloud$/, '').split('.')
  return {
    APP_USER: USER,
    APP_PASSWORD: PASSWORD,
    APP_PORT: PGPORT,
    APP_CLUSTER: cluster,
    APP_RANDOM: random.join('.'),
    APP_DATABASE: 'defaultdb',
  }
}

test('the line that npm start -- --function prints for psql connects, verified in full', async () => {
  const line = `${terminalAccess(stack).psql} -X -At -c "select current_user || ' ' || current_database()"`
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', line], {
    env: { HOME: folder, PATH: `${dirname(PSQL)}:${process.env.PATH}` },
  })
  expect(stdout).toBe('app defaultdb\n')
})

test("the article's program connects, with the layer's root.crt beside it", async () => {
  expect(await python('article.py', parts())).toBe('article defaultdb True')
})

test("the article's program does not connect when root.crt is another authority's", async () => {
  copyFileSync(REPOSITORY_CERTIFICATE, join(folder, 'root.crt'))
  const failure = python('article.py', parts()).finally(() => copyFileSync(layerCertificate, join(folder, 'root.crt')))
  await expect(failure).rejects.toMatchObject({ stderr: expect.stringContaining('certificate verify failed') })
})

test('connectionString() returns the form of the article, with the path of the layer', () => {
  const { PGHOST, PGPORT, PGDATABASE } = target()
  expect(printed).toContain(`@${PGHOST}:${PGPORT}/${PGDATABASE}?`)
  expect(new URL(printed).searchParams.get('sslmode')).toBe('verify-full')
  expect(new URL(printed).searchParams.get('sslrootcert')).toBe(layerCertificate)
})

const CLIENTS: readonly (readonly [string, (variables: Variables) => Promise<string>])[] = [
  ['psycopg2', (variables) => python('connects.py', variables).then((line) => line.replace(/ True$/, ''))],
  ['psql', psql],
]

describe.each(CLIENTS)('%s', (_name, connect) => {
  test('connects with the string of connectionString()', async () => {
    expect(await connect({ CONNECTION: printed })).toBe('app defaultdb')
  })

  test("connects with the construct's PGSSLMODE and PGSSLROOTCERT", async () => {
    expect(await connect({ ...target(), ...constructVariables() })).toBe('article defaultdb')
  })

  test('connects without SNI, by the cluster in front of the database', async () => {
    expect(await connect({ CONNECTION: printed, PGSSLSNI: '0' })).toBe('app defaultdb')
  })

  test.each([
    ["another authority's certificate", { PGSSLROOTCERT: REPOSITORY_CERTIFICATE }, 'certificate verify failed'],
    ['a file that is not there', { PGSSLROOTCERT: '/nowhere/root.crt' }, 'does not exist'],
    ['a host that the certificate does not name', { PGHOST: 'db.example.com' }, 'does not match host name'],
    [
      'a database without the cluster in front, by a libpq that sends no SNI, as the article had it',
      { PGDATABASE: 'defaultdb', PGSSLSNI: '0' },
      'codeParamsRoutingFailed',
    ],
  ])('does not connect with %s', async (_row, changes, message) => {
    const failure = connect({ ...target(), ...constructVariables(), ...changes })
    await expect(failure).rejects.toMatchObject({ stderr: expect.stringContaining(message) })
  })
})

test("a Python function under AWS's own client finds secret, certificate and database", async () => {
  await using emulator = await startEmulator({
    command: [PYTHON, '-m', 'awslambdaric', 'function.handler'],
    task: PROGRAMS,
    environment: {
      ...constructVariables(),
      PGHOSTADDR: '127.0.0.1',
      PYTHONDONTWRITEBYTECODE: '1',
      COCKROACH_SECRET_ID: stack.definition.environment.COCKROACH_SECRET_ID,
      AWS_REGION: 'ap-southeast-1',
      AWS_DEFAULT_REGION: 'ap-southeast-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'not-a-real-key',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: stack.secretsManager.url,
    },
  })
  const [cold, warm] = [await emulator.invoke({}), await emulator.invoke({})]
  expect(cold).toEqual({ name: 'app', pid: expect.any(Number), tls: true })
  expect(warm).toEqual(cold)
})
