/** The function of `init --python`: its text checked, its unit test run, and itself run under AWS's client beside the layer. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCertificateServer } from '../support/certificate-server.ts'
import { runCommand } from '../support/command-line.ts'
import { openProduct, type Product } from '../support/product.ts'
import { type Emulator, startEmulator } from './support/emulator.ts'
import { outsidePart } from './support/outside-part.ts'

const part = (program: string): string => outsidePart('psycopg', `bin/${program}`)
const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-python-'))
let product: Product

beforeAll(async () => {
  product = await openProduct()
  await runCommand(['init', '--layer', '--python', folder], { secrets: [] })
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await product?.[Symbol.asyncDispose]()
})

/** What a program prints in the function's folder, its errors too. */
async function run(program: string, ...args: readonly string[]): Promise<string> {
  const options = { cwd: folder, env: { PATH: process.env.PATH, PYTHONDONTWRITEBYTECODE: '1' } }
  const { stdout, stderr } = await promisify(execFile)(part(program), args, options).catch(
    (error: { stdout: string; stderr: string }) => error,
  )
  return `${stdout}${stderr}`
}

describe('the text', () => {
  test('passes ruff, its rules for formatting and for security too', async () => {
    expect(
      await run('ruff', 'check', '--no-cache', '--select', 'E,F,I,B,S,UP', '--ignore', 'S101', '--line-length', '120'),
    ).toBe('All checks passed!\n')
    expect(await run('ruff', 'format', '--no-cache', '--check', '--line-length', '120')).toContain(
      '3 files already formatted',
    )
  })

  test('passes mypy, with the types of psycopg', async () => {
    const args = ['--cache-dir', '/dev/null', '--check-untyped-defs', '--ignore-missing-imports', 'function/index.py']
    expect(await run('mypy', ...args)).toContain('Success: no issues found')
  })

  test('passes its unit test, which fails when the function is changed', async () => {
    expect(await run('python', '-m', 'unittest')).toMatch(/Ran 2 tests.*OK/s)
    const path = join(folder, 'function/greet.py')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace('Hello', 'Goodbye'))
    expect(await run('python', '-m', 'unittest')).toContain('FAILED (failures=1)')
    writeFileSync(path, text)
  })
})

describe("under AWS's own client, beside the layer", () => {
  /** The emulator around the function, with the layer's certificate where `/opt` is here. */
  function start(secretId: string): Promise<Emulator> {
    return startEmulator({
      command: [part('python'), '-m', 'awslambdaric', 'index.handler'],
      task: join(folder, 'function'),
      environment: {
        PGHOSTADDR: '127.0.0.1',
        PGSSLROOTCERT: join(folder, 'root.crt'),
        PYTHONDONTWRITEBYTECODE: '1',
        COCKROACH_SECRET_ID: secretId,
        AWS_DEFAULT_REGION: 'ap-southeast-1',
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'not-a-real-key',
        AWS_ENDPOINT_URL_SECRETS_MANAGER: product.secretsManager.url,
      },
    })
  }

  /** The fields of the secret without its certificate: the layer's is to be found. */
  function fields(): Record<string, string | number> {
    const { sslrootcert: _, ...rest } = product.fields
    return rest
  }

  async function endSessions(): Promise<void> {
    const { postgres, user } = product.cloud
    const sessions = 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1'
    expect((await postgres.query(sessions, [user])).length).toBeGreaterThan(0)
  }

  beforeAll(() => {
    writeFileSync(join(folder, 'root.crt'), product.cloud.authority.certificate)
    product.secretsManager.secrets.create('app/python', JSON.stringify(fields()))
  })

  test('it greets, reports to an empty event, and connects again with a changed password', async () => {
    await using emulator = await start('app/python')
    expect(await emulator.invoke({ name: 'Rex' })).toEqual({ greeting: 'Hello, Rex!' })
    expect(await emulator.invoke({})).toMatchObject({ ok: true, connection: { host: product.cloud.host } })
    const { postgres, user } = product.cloud
    const password = "another'one/with@signs"
    await postgres.changePassword(user, password)
    product.secretsManager.secrets.put('app/python', JSON.stringify({ ...fields(), password }))
    await endSessions()
    expect(await emulator.invoke({ name: 'Ada' })).toEqual({ greeting: 'Hello, Ada!' })
    expect(emulator.output()).not.toContain(password)
    await postgres.changePassword(user, product.cloud.password)
  })

  test('it logs in with a client certificate, which the secret has in full', async () => {
    await using stage = await openCertificateServer()
    const { cert: sslcert, key: sslkey } = await stage.issue('app')
    const { user: username, ...server } = stage.login()
    product.secretsManager.secrets.create('app/cert', JSON.stringify({ ...server, username, sslcert, sslkey }))
    await using emulator = await start('app/cert')
    expect(await emulator.invoke({ name: 'Rex' })).toEqual({ greeting: 'Hello, Rex!' })
  })

  test('a secret that is no JSON is one error, without its text', async () => {
    const { host, user, password } = product.cloud
    product.secretsManager.secrets.create('app/url', `postgresql://${user}:${password}@${host}/defaultdb`)
    await using emulator = await start('app/url')
    const answer = await emulator.invoke({ name: 'Rex' })
    expect(answer).toMatchObject({ errorMessage: expect.stringContaining('secret put') })
    expect(`${JSON.stringify(answer)}${emulator.output()}`).not.toContain(password)
  })

  test('it takes the certificate from the secret, where it stands in full, and no other authority', async () => {
    writeFileSync(join(folder, 'root.crt'), readFileSync(join(import.meta.dirname, '../../certs/root.crt')))
    await using trusting = await start(product.secretId)
    expect(await trusting.invoke({ name: 'Rex' })).toEqual({ greeting: 'Hello, Rex!' })
    await using other = await start('app/python')
    expect(await other.invoke({ name: 'Rex' })).toMatchObject({
      errorMessage: expect.stringContaining('certificate verify failed'),
    })
  })
})
