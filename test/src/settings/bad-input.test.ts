/** What people get wrong: each gets one clear error with a code and a hint, and no secret in it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createCertificateAuthority } from '../../../local/certificates.ts'
import { ConnectionError, type DatabaseOptions } from '../../../src/index.ts'
import { openProduct, type Product, printed, rejection } from '../../support/product.ts'

let product: Product
let folder: string

beforeAll(async () => {
  product = await openProduct()
  folder = mkdtempSync(join(tmpdir(), 'bad-input-'))
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await product?.[Symbol.asyncDispose]()
})

afterEach(() => {
  product.cloud.standIn.refuse = undefined
})

const PASSWORD = 'correct-horse-battery'
let count = 0

/** A new secret with this text, or with the working fields and these changes. */
function secret(value: string | Buffer | Record<string, unknown>): string {
  count += 1
  const name = `bad-input/${count}`
  const isText = typeof value === 'string' || Buffer.isBuffer(value)
  product.secretsManager.secrets.create(name, isText ? value : JSON.stringify({ ...product.fields, ...value }))
  return name
}

/** The error of the first statement, checked for what every error owes. */
async function errorOf(options: DatabaseOptions): Promise<ConnectionError> {
  const error = await rejection((async () => product.database(options).query('select 1'))())
  expect(error).toBeInstanceOf(ConnectionError)
  expect(error.hint).toMatch(/\S/)
  for (const password of [product.cloud.password, PASSWORD]) expect(printed(error).includes(password)).toBe(false)
  return error
}

describe('secret', () => {
  test('without an id: names the variable', async () => {
    expect(await errorOf({ secretId: '' })).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringContaining('COCKROACH_SECRET_ID'),
    })
  })

  test('absent', async () => {
    expect(await errorOf({ secretId: 'no/such' })).toMatchObject({
      code: 'ERR_SECRET_UNAVAILABLE',
      message: expect.stringContaining('ResourceNotFoundException'),
    })
  })

  test('not permitted', async () => {
    const secretId = secret({})
    product.secretsManager.secrets.deny(secretId)
    expect(await errorOf({ secretId })).toMatchObject({
      code: 'ERR_SECRET_UNAVAILABLE',
      hint: expect.stringContaining('secretsmanager:GetSecretValue'),
    })
  })

  test('marked for deletion', async () => {
    const secretId = secret({})
    product.secretsManager.secrets.delete(secretId)
    expect(await errorOf({ secretId })).toMatchObject({
      code: 'ERR_SECRET_UNAVAILABLE',
      hint: expect.stringContaining('deletion'),
    })
  })

  test('without a value', async () => {
    product.secretsManager.secrets.create('bad-input/new')
    expect(await errorOf({ secretId: 'bad-input/new' })).toMatchObject({
      code: 'ERR_SECRET_INVALID',
      hint: expect.stringContaining('put-secret-value'),
    })
  })

  test('Secrets Manager breaks the connection off', async () => {
    product.secretsManager.failNext(3, 'connection reset')
    expect(await errorOf({ secretId: secret({}) })).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })

  test.each<[string, string | Buffer, string]>([
    ['empty', ' ', 'empty'],
    ['empty JSON', '{}', 'empty'],
    ['binary', Buffer.from([1, 2, 3]), 'binary'],
    ['malformed JSON', `{"host": "db.example.com", "password": "${PASSWORD}"`, 'JSON'],
    ['JSON array', `["${PASSWORD}"]`, 'array'],
    ['a password alone', PASSWORD, 'neither'],
    ['no host', JSON.stringify({ username: 'app', password: PASSWORD }), 'host'],
    ['no user', JSON.stringify({ host: 'db.example.com', password: PASSWORD }), 'user'],
    ['no password', JSON.stringify({ host: 'db.example.com', username: 'app' }), 'password'],
    [
      'a placeholder',
      'postgresql://app:<ENTER-SQL-USER-PASSWORD>@cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud:26257/defaultdb',
      'placeholder',
    ],
  ])('%s', async (_name, text, message) => {
    expect(await errorOf({ secretId: secret(text) })).toMatchObject({
      code: 'ERR_SECRET_INVALID',
      message: expect.stringContaining(message),
    })
  })
})

describe('login', () => {
  test('wrong password', async () => {
    expect(await errorOf({ secretId: secret({ password: PASSWORD }) })).toMatchObject({
      code: 'ERR_AUTHENTICATION',
      cause: { code: '28P01' },
    })
  })

  test('unknown user', async () => {
    expect(await errorOf({ secretId: secret({ username: 'nobody' }) })).toMatchObject({ code: 'ERR_AUTHENTICATION' })
  })

  test('unknown database', async () => {
    expect(await errorOf({ secretId: secret({ dbname: 'nowhere' }) })).toMatchObject({
      code: 'ERR_CONFIG',
      cause: { code: '3D000' },
    })
  })
})

describe('root certificate', () => {
  const file = (name: string, text: string): string => {
    const path = join(folder, name)
    writeFileSync(path, text)
    return path
  }

  test.each<[string, () => Promise<string> | string, string]>([
    ['missing', () => join(folder, 'missing.crt'), 'ENOENT'],
    ['a folder', () => folder, 'not a regular file'],
    ['empty', () => file('empty.crt', '\n'), 'empty'],
    ['no PEM', () => file('text.crt', 'hello'), 'no PEM'],
    [
      'broken PEM',
      () => file('broken.crt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      'certificate 1 of 1',
    ],
    [
      'another authority',
      async () => file('other.crt', (await createCertificateAuthority('Other')).certificate),
      'certificate',
    ],
    ['Node’s own roots', () => 'system', 'certificate'],
  ])('%s', async (_name, sslrootcert, message) => {
    const error = await errorOf({ secretId: product.secretId, sslrootcert: await sslrootcert() })
    expect(error).toMatchObject({ code: 'ERR_TLS', message: expect.stringContaining(message) })
  })
})

describe('server', () => {
  const issue = (changes: { hosts?: readonly string[]; notBefore?: Date; notAfter?: Date }) =>
    product.cloud.authority.issue({ hosts: [product.cloud.host], ...changes })

  test.each<[string, () => ReturnType<typeof issue>, string]>([
    [
      'expired certificate',
      () => issue({ notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') }),
      'CERT_HAS_EXPIRED',
    ],
    [
      'certificate of tomorrow',
      () => issue({ notBefore: new Date(Date.now() + 86_400_000), notAfter: new Date(Date.now() + 2 * 86_400_000) }),
      'CERT_NOT_YET_VALID',
    ],
    [
      'certificate for another host',
      () => issue({ hosts: ['other.cockroachlabs.cloud'] }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('%s', async (_name, certificate, code) => {
    const { standIn } = product.cloud
    const kept = standIn.certificate
    standIn.certificate = await certificate()
    const error = await errorOf({ secretId: product.secretId })
    standIn.certificate = kept
    expect(error).toMatchObject({ code: 'ERR_TLS', cause: { code } })
  })

  test('without TLS', async () => {
    product.cloud.standIn.refuse = 'tls'
    expect(await errorOf({ secretId: product.secretId })).toMatchObject({
      code: 'ERR_TLS',
      message: expect.stringContaining('does not support SSL'),
    })
  })

  test('plain PostgreSQL without TLS on a loopback address', async () => {
    expect(await errorOf({ secretId: secret({ host: '127.0.0.1', port: product.cloud.port }) })).toMatchObject({
      code: 'ERR_TLS',
    })
  })

  test('sslmode=disable across a network is refused before anything is sent', async () => {
    expect(await errorOf({ secretId: product.secretId, sslmode: 'disable' })).toMatchObject({
      code: 'ERR_TLS',
      message: expect.stringContaining('clear text'),
    })
  })

  test('something else than PostgreSQL', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const port = await getPort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const error = await errorOf({ secretId: secret({ port }) })
    server.close()
    expect(error).toMatchObject({ code: 'ERR_TLS', hint: expect.stringContaining('port') })
  })

  test('nobody listens', async () => {
    const error = await errorOf({ secretId: secret({ port: await getPort() }), connect_timeout: 1 })
    expect(error).toMatchObject({ code: 'ERR_CONNECT', cause: { code: 'ECONNREFUSED' } })
  })

  test('unknown host name', async () => {
    const error = await errorOf({ secretId: secret({ host: 'no-such-host.invalid' }) })
    expect(error).toMatchObject({ code: 'ERR_CONNECT', message: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) })
  })

  test('accepts and says nothing', async () => {
    product.cloud.standIn.refuse = 'silence'
    const error = await errorOf({ secretId: product.secretId, connect_timeout: 1 })
    expect(error).toMatchObject({ code: 'ERR_CONNECT', hint: expect.stringContaining('allowlist') })
  })

  test('takes no more connections', async () => {
    product.cloud.standIn.refuse = {
      sqlstate: '53300',
      message: 'cluster connections are limited',
      hint: 'the maximum number of allowed connections is 0',
    }
    expect(await errorOf({ secretId: product.secretId })).toMatchObject({
      code: 'ERR_SERVER_REFUSED',
      hint: expect.stringContaining('request units'),
    })
  })
})

describe('routing', () => {
  test.each<[string, Record<string, unknown>]>([
    ['unknown cluster', { host: 'cozy-otter-4822.7tt.aws-ap-southeast-1.cockroachlabs.cloud' }],
    ['name of another number', { host: '127.0.0.1', cluster: 'other-otter-4821' }],
  ])('%s', async (_name, changes) => {
    const { standIn, authority } = product.cloud
    const kept = standIn.certificate
    standIn.certificate = await authority.issue({ hosts: [String(changes.host)] })
    const error = await errorOf({ secretId: secret(changes) })
    standIn.certificate = kept
    expect(error).toMatchObject({ code: 'ERR_ROUTING', message: expect.stringContaining('not found') })
  })

  test('conflicting identifiers are refused before anything is sent', async () => {
    product.cloud.standIn.resetCounts()
    expect(await errorOf({ secretId: secret({ cluster: 'other-otter-4821' }) })).toMatchObject({ code: 'ERR_ROUTING' })
    expect(await errorOf({ secretId: secret({ dbname: 'other-otter-4821.defaultdb' }) })).toMatchObject({
      code: 'ERR_ROUTING',
    })
    expect(product.cloud.standIn.counts.tcp).toBe(0)
  })

  test('old free-tier host without an identifier', async () => {
    expect(
      await errorOf({ secretId: secret({ host: 'free-tier5.gcp-europe-west1.cockroachlabs.cloud' }) }),
    ).toMatchObject({ code: 'ERR_ROUTING', hint: expect.stringContaining('cluster') })
  })
})

describe('options', () => {
  test.each<[object, string]>([
    [{ sceretId: 'x' }, 'did you mean "secretId"?'],
    [{ database: 'x' }, 'did you mean'],
    [{ port: '26257' }, 'option port is a string'],
    [{ port: 0 }, 'option port is 0'],
    [{ max: 0 }, 'option max is 0'],
    [{ clusterRouting: 'dns' }, 'clusterRouting is an unknown word of 3 characters'],
    [{ connectionString: `postgresql://app:${PASSWORD}@[::1` }, 'option connectionString'],
  ])('%j', async (options, message) => {
    expect(await errorOf({ secretId: product.secretId, ...options })).toMatchObject({
      code: 'ERR_CONFIG',
      message: expect.stringContaining(message),
    })
  })

  test('all that is wrong is reported at once', async () => {
    const error = await errorOf({ secretId: product.secretId, port: 0, max: 0, ...{ hots: 'x' } })
    for (const part of ['port', 'max', 'hots']) expect(error.message).toContain(part)
  })
})
