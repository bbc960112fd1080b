import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { Database } from '../../../src/database.ts'
import type { DatabaseOptions } from '../../../src/index.ts'
import { openProduct, type Product, printed, rejection } from '../../support/product.ts'

const WRONG = 'wr0ng-p4ssword'

let product: Product
let stderr: MockInstance<typeof process.stderr.write>
const opened: Database[] = []

beforeEach(async () => {
  product = await openProduct()
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.close()))
  expect(stderr.mock.calls.join('\n')).not.toContain(product.cloud.password)
  stderr.mockRestore()
  await product[Symbol.asyncDispose]()
})

/** A database without a secret. */
function open(password: unknown, changes: DatabaseOptions = {}): Database {
  const { cloud } = product
  const server = { host: cloud.host, port: cloud.standIn.port, user: cloud.user, dbname: 'defaultdb' }
  const options: object = { ...server, sslrootcert: cloud.authority.certificate, password, ...changes }
  const database = new Database(options)
  opened.push(database)
  return database
}

test('a password function is called for each new connection, and for no statement', async () => {
  const password = vi.fn(async () => product.cloud.password)
  const database = open(password)
  expect(password).not.toHaveBeenCalled()
  expect((await database.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await database.query('select 1')
  expect(password).toHaveBeenCalledTimes(1)
  await database.close()
  await database.query('select 1')
  expect(password).toHaveBeenCalledTimes(2)
  expect(product.secretsManager.requests).toEqual([])
})

test('a password function may return a string at once', async () => {
  const { rowCount } = await open(() => product.cloud.password).query('select 1')
  expect(rowCount).toBe(1)
})

test('a password function takes precedence over the password of the secret', async () => {
  const { secretId, secretsManager, fields, cloud } = product
  secretsManager.secrets.put(secretId, JSON.stringify({ ...fields, password: WRONG }))
  const database = product.database({ password: () => cloud.password })
  expect((await database.query('select current_user as user')).rows).toEqual([{ user: cloud.user }])
  expect(cloud.standIn.counts.logins).toBe(1)
})

test('a secret needs no password beside a password function', async () => {
  const { secretId, secretsManager, fields, cloud } = product
  secretsManager.secrets.put(secretId, JSON.stringify({ ...fields, password: undefined }))
  const { rowCount } = await product.database({ password: () => cloud.password }).query('select 1')
  expect(rowCount).toBe(1)
})

test('a password function runs while TCP and TLS are opened', async () => {
  const { standIn, password } = product.cloud
  const database = open(async () => {
    await vi.waitUntil(() => standIn.counts.tls === 1, { timeout: 3000 })
    return password
  })
  expect((await database.query('select 1')).rowCount).toBe(1)
})

test.each<[string, () => unknown, string, string]>([
  [
    'throws',
    () => {
      throw new Error('no keys')
    },
    'ERR_PASSWORD_UNAVAILABLE',
    'failed: Error: no keys',
  ],
  [
    'rejects with an error of JSON.parse, which quotes its input',
    async () => JSON.parse(product.cloud.password),
    'ERR_PASSWORD_UNAVAILABLE',
    'failed: Error: a text could not be parsed',
  ],
  ['returns a number', () => 7, 'ERR_CONFIG', 'is a number; expected the password'],
  ['returns nothing', async () => undefined, 'ERR_CONFIG', 'is a undefined; expected the password'],
  ['returns an empty string', () => '', 'ERR_CONFIG', 'is empty; expected the password'],
  ['returns NUL', () => `${product.cloud.password}\0`, 'ERR_CONFIG', 'has a character that no server accepts'],
  ['never answers', () => new Promise(() => undefined), 'ERR_PASSWORD_UNAVAILABLE', 'TimeoutError: no answer within'],
])('a password function that %s fails the connection with one error', async (_, password, code, message) => {
  const error = await rejection(open(password).query('select 1'))
  expect(error).toMatchObject({ code, message: expect.stringContaining(message), hint: expect.any(String) })
  expect(error.safeToRetry).toBe(true)
  expect(printed(error)).not.toContain(product.cloud.password)
  expect(product.cloud.standIn.counts.logins).toBe(0)
})

test('a failed password function is called again by the next statement', async () => {
  let isBroken = true
  const database = open(async () => {
    if (isBroken) throw new Error('not yet')
    return product.cloud.password
  })
  expect((await rejection(database.query('select 1'))).code).toBe('ERR_PASSWORD_UNAVAILABLE')
  isBroken = false
  expect((await database.query('select 1')).rowCount).toBe(1)
})

test('a refused login is repeated once with another password', async () => {
  const passwords = [WRONG, product.cloud.password]
  const database = open(() => passwords.shift())
  expect((await database.query('select 1')).rowCount).toBe(1)
  expect(product.cloud.standIn.counts.logins).toBe(2)
})

test('a refused login is not repeated with the same password', async () => {
  const password = vi.fn(() => WRONG)
  expect((await rejection(open(password).query('select 1'))).code).toBe('ERR_AUTHENTICATION')
  expect(password).toHaveBeenCalledTimes(2)
  expect(product.cloud.standIn.counts.logins).toBe(1)
})

test('logins are blocked after a refusal although each password is a new one', async () => {
  let calls = 0
  const database = open(() => {
    calls += 1
    return `${WRONG}-${calls}`
  })
  const first = await rejection(database.query('select 1'))
  expect(first.code).toBe('ERR_AUTHENTICATION')
  expect(product.cloud.standIn.counts.logins).toBe(2)
  const second = await rejection(database.query('select 1'))
  expect(second).toMatchObject({
    code: 'ERR_AUTHENTICATION',
    message: expect.stringMatching(/not tried again for (59|60) s/),
  })
  expect(calls).toBe(2)
  expect(product.cloud.standIn.counts.logins).toBe(2)
  for (const error of [first, second]) expect(printed(error)).not.toContain(WRONG)
})

test('connectionString() holds the password of the function, and warns', async () => {
  const database = open(() => product.cloud.password)
  expect(await database.connectionString()).toContain(encodeURIComponent(product.cloud.password))
  expect(stderr.mock.calls.join('\n')).toContain('"kind":"connection-string"')
})

test('nothing prints the password of a function', async () => {
  const { password } = product.cloud
  const database = open(() => password)
  const report = await database.healthCheck()
  const client = await database.getClient()
  const seen = [report, client, client.openedWith, database.getPool(), inspect(database, { showHidden: true })]
  client.release()
  for (const value of seen) expect(printed(value)).not.toContain(password)
})
