import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
// First: @peculiar/x509 throws while loading without it.
import 'reflect-metadata'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Password } from '../../../src/base/password.ts'
import { type ClientCertificate, readClientCertificate } from '../../../src/connection/client-certificate.ts'
import { readSettings } from '../../../src/settings/settings.ts'
import { printed } from '../../support/product.ts'
import { TemporaryFolder } from '../../support/temporary-folder.ts'
import { credentialsOf, makeCertificate } from '../../support/tls-server.ts'

let folder: TemporaryFolder
let cert: string
let key: string
let other: string
let chain: string

beforeAll(async () => {
  folder = await TemporaryFolder.open()
  const root = await makeCertificate({ name: 'Root', isAuthority: true })
  const between = await makeCertificate({ name: 'Between', isAuthority: true, signer: root })
  const pair = await credentialsOf(await makeCertificate({ name: 'app', signer: between }), between)
  chain = String(pair.cert)
  cert = chain.slice(0, chain.indexOf('-----END') + '-----END CERTIFICATE-----'.length)
  key = String(pair.key)
  other = String((await credentialsOf(await makeCertificate({ name: 'other' }))).key)
})

afterAll(() => folder?.[Symbol.asyncDispose]())

/** Writes a file below the test's folder and gives its path. */
function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder.path, name)
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

function read(sslcert: string | undefined, sslkey: string | undefined, variables = {}): ClientCertificate | undefined {
  return readClientCertificate(
    {
      sslcert: sslcert === undefined ? undefined : { value: sslcert, origin: 'secret' },
      sslkey: sslkey === undefined ? undefined : { value: new Password(sslkey), origin: 'PGSSLKEY' },
    },
    readSettings({}, { PGHOST: 'db', HOME: folder.path, ...variables }).platform,
  )
}

/** What is said of a pair that is refused; it holds nothing of a key. */
function refusal(sslcert: string | undefined, sslkey: string | undefined, variables = {}): string {
  try {
    read(sslcert, sslkey, variables)
  } catch (error) {
    expect(error).toMatchObject({
      ...{ name: 'ConnectionError', code: 'ERR_TLS', safeToRetry: true },
      hint: 'Set sslcert to a certificate and sslkey to its private key, decrypted: paths, or PEM text.',
    })
    for (const line of `${key}\n${other}\n${sslkey}`.split('\n').filter((each) => /^[\w+/=]{20,}$/.test(each))) {
      expect(printed(error)).not.toContain(line)
    }
    return Object(error).message
  }
  return expect.fail('it was accepted')
}

test('without certificate and key there is none', () => {
  expect(read(undefined, undefined)).toBeUndefined()
})

test('texts are a pair without paths', () => {
  const found = read(cert, key)
  expect(found).toMatchObject({ certPath: undefined, keyPath: undefined, leaf: { subject: 'CN=app' } })
  expect(found?.key.reveal().trim()).toBe(key.trim())
  expect(printed(found)).not.toContain(key.split('\n')[1])
})

test('files are a pair with their paths, `~` expanded', () => {
  file('client.crt', cert, 0o644)
  const path = file('client.key', key)
  expect(read('~/client.crt', '$HOME/client.key')).toMatchObject({
    certPath: join(folder.path, 'client.crt'),
    keyPath: path,
  })
})

test('one file may hold both', () => {
  const path = file('both.pem', `${key}\n${chain}`)
  expect(read(path, path)?.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
})

test('the certificate of the key comes first, those between it and the root behind it', () => {
  const [leaf = '', between = ''] = chain.match(/-----BEGIN[\s\S]+?END CERTIFICATE-----\n?/g) ?? []
  expect(read(`${between}${leaf}`, key)?.cert.trim()).toBe(read(chain, key)?.cert.trim())
})

test.each([
  [
    'PKCS #1',
    () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs1' }),
  ],
  [
    'SEC 1',
    () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }),
  ],
])('a key in %s is read, and belongs to no other certificate', (_, make) => {
  expect(refusal(cert, String(make()))).toBe('sslkey (PGSSLKEY) and sslcert (secret) cannot be used: they are no pair')
})

describe('refused is', () => {
  const encrypted = (type: 'pkcs1' | 'pkcs8') =>
    String(
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
        ...{ format: 'pem', type, cipher: 'aes-256-cbc', passphrase: 'secret' },
      }),
    )
  const der = () => key.replace(/-----.*-----|\n/g, '')

  test.each<[string, () => [string | undefined, string | undefined], string]>([
    ['a certificate without a key', () => [cert, undefined], 'sslcert (secret) has no sslkey'],
    ['a key without a certificate', () => [undefined, key], 'sslkey (PGSSLKEY) has no sslcert'],
    ['another key', () => [cert, other], 'sslkey (PGSSLKEY) and sslcert (secret) cannot be used: they are no pair'],
    [
      'a key in the place of the certificate',
      () => [key, key],
      'sslcert (secret) holds no CERTIFICATE, but PRIVATE KEY',
    ],
    [
      'a certificate in the place of the key',
      () => [cert, cert],
      'sslkey (PGSSLKEY) holds no PRIVATE KEY, but CERTIFICATE',
    ],
    ['an encrypted key', () => [cert, encrypted('pkcs8')], 'sslkey (PGSSLKEY) is encrypted'],
    ['an encrypted key in the older form', () => [cert, encrypted('pkcs1')], 'sslkey (PGSSLKEY) is encrypted'],
    ['a key that was cut', () => [cert, key.slice(0, 80)], 'sslkey (PGSSLKEY) holds no PRIVATE KEY, but 80 characters'],
    [
      'a file that is not there',
      () => ['/no/client.crt', key],
      'sslcert "/no/client.crt" (secret) cannot be read: ENOENT',
    ],
    ['a folder', () => [cert, folder.path], 'is not a regular file'],
    ['a key without its first and last line', () => [cert, der()], ') (PGSSLKEY) cannot be read: '],
    [
      'a password in the place of the key',
      () => [cert, 'xK7$q#Zw9!mPe2'],
      'sslkey (14 characters) (PGSSLKEY) cannot be read: ENOENT',
    ],
    ['an empty file', () => [file('empty.crt', ''), key], 'holds no CERTIFICATE, but 0 characters'],
  ])('%s', (_, make, message) => {
    const [sslcert, sslkey] = make()
    expect(refusal(sslcert, sslkey)).toContain(message)
  })

  test('a certificate of broken bytes, in OpenSSL’s words', () => {
    expect(refusal(cert.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'), key)).toMatch(/cannot be used: error:/)
  })

  test('a pair that is too weak for OpenSSL', async () => {
    const weak = await makeCertificate({
      name: 'app',
      algorithm: {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: 512,
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      },
    })
    const pair = await credentialsOf(weak)
    expect(refusal(String(pair.cert), String(pair.key))).toMatch(/cannot be used: .*too small/)
  })
})

describe('a key’s file that others may read', () => {
  test.each([0o640, 0o604, 0o660])('is refused with mode %o of its user', (mode) => {
    const path = file('open.key', key, mode)
    chownSync(path, 65_534, 65_534)
    expect(refusal(cert, path)).toBe(
      `sslkey "${path}" (PGSSLKEY) may be read by others (mode ${mode.toString(8)}): chmod 600 it`,
    )
  })

  test.each([0o600, 0o400, 0o640])('may have mode %o when it is root’s', (mode) => {
    expect(read(cert, file('root.key', key, mode))?.keyPath).toBeDefined()
  })

  test.each([0o644, 0o660, 0o755])('is refused with mode %o when it is root’s', (mode) => {
    expect(refusal(cert, file('root.key', key, mode))).toContain(`(mode ${mode.toString(8)})`)
  })

  test('is read in Lambda, and not named to libpq', () => {
    const path = file('deployed.key', key, 0o644)
    expect(read(cert, path, { AWS_LAMBDA_FUNCTION_NAME: 'orders' })).toMatchObject({ keyPath: undefined })
  })
})
