import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CertificateAuthority, createCertificateAuthority } from '../../../local/certificates.ts'
import { unprivilegedUser } from '../../../local/postgres/binaries.ts'
import { PostgresServer } from '../../../local/postgres/server.ts'
import { createDatabase, type DatabaseOptions } from '../../../src/index.ts'
import { startTlsServer } from '../../support/tls-server.ts'

const PASSWORD = 'pw-A1'
const folder = mkdtempSync(join(tmpdir(), 'login-requirements-'))
const runAs = await unprivilegedUser()
let authority: CertificateAuthority
let postgres: PostgresServer
let credentials: { cert: string; key: string }

/** For PostgreSQL, which takes no key that others may read. */
function fileOf(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o600 })
  const { uid, gid } = runAs
  for (const made of [folder, path]) if (uid !== undefined && gid !== undefined) chownSync(made, uid, gid)
  return path
}

beforeAll(async () => {
  authority = await createCertificateAuthority('PostgreSQL CA')
  const { certificate: cert, privateKey: key } = await authority.issue({ hosts: ['localhost'] })
  credentials = { cert, key }
  const settings = { ssl: 'on', ssl_cert_file: fileOf('server.crt', cert), ssl_key_file: fileOf('server.key', key) }
  postgres = await PostgresServer.start({ settings })
  await postgres.createUser('app', PASSWORD)
})

afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})

async function logIn(port: number, options: DatabaseOptions) {
  const database = createDatabase({
    ...{ host: 'localhost', port, user: 'app', password: PASSWORD, dbname: 'postgres' },
    ...{ sslrootcert: authority.certificate, ...options },
  })
  const { ok, error } = await database.healthCheck()
  await database.close()
  return ok ? 'logged in' : `${error?.code} ${error?.message.replace(/^connecting .* failed: /, '')}`
}

describe('a PostgreSQL with TLS, which logs in by SCRAM with channel binding,', () => {
  test.each<DatabaseOptions>([
    {},
    { require_auth: 'scram-sha-256' },
    { require_auth: 'md5, scram-sha-256' },
    { require_auth: '!password,!md5,!none' },
    { channel_binding: 'prefer' },
    { channel_binding: 'require' },
    { channel_binding: 'require', require_auth: 'scram-sha-256' },
  ])('is taken with %o', async (options) => {
    expect(await logIn(postgres.port, options)).toBe('logged in')
  })

  test.each<DatabaseOptions>([{ require_auth: 'md5' }, { require_auth: 'none' }, { require_auth: '!scram-sha-256' }])(
    'is refused with %o',
    async (options) => {
      const found = await logIn(postgres.port, options)
      expect(found).toBe('ERR_CONNECT require_auth or channel_binding forbids a login by scram-sha-256')
    },
  )

  test('is refused with channel_binding=require where there is no TLS to bind to', async () => {
    const found = await logIn(postgres.port, { channel_binding: 'require', sslmode: 'disable' })
    expect(found).toBe('ERR_CONNECT require_auth or channel_binding forbids a login by scram-sha-256')
  })
})

function authentication(kind: number, rest: string | Buffer = ''): Buffer {
  const body = Buffer.from(rest)
  const head = Buffer.alloc(9)
  head.write('R')
  head.writeInt32BE(8 + body.length, 1)
  head.writeInt32BE(kind, 5)
  return Buffer.concat([head, body])
}

const OK = authentication(0)
const CLEARTEXT = authentication(3)
const MD5 = authentication(5, 'salt')
const SCRAM = authentication(10, 'SCRAM-SHA-256\0\0')
const READY = Buffer.from('Z\0\0\0\x05I')

describe('nothing but the startup message is heard by a server that asks for', () => {
  test.each<[string, Buffer, DatabaseOptions, string]>([
    ['the password', CLEARTEXT, { require_auth: 'scram-sha-256' }, 'password'],
    ['the password', CLEARTEXT, { channel_binding: 'require' }, 'password'],
    ['the password', CLEARTEXT, { require_auth: '!password' }, 'password'],
    ['its MD5', MD5, { require_auth: 'scram-sha-256' }, 'md5'],
    ['nothing', Buffer.concat([OK, READY]), { require_auth: 'scram-sha-256' }, 'none'],
    ['nothing', Buffer.concat([OK, READY]), { channel_binding: 'require' }, 'none'],
    ['SCRAM without binding', SCRAM, { channel_binding: 'require' }, 'scram-sha-256'],
  ])('%s: %#', async (_, answer, options, method) => {
    await using server = await startTlsServer(credentials, undefined, answer)
    const found = await logIn(server.port, { ...options, connect_timeout: 2 })
    expect(found).toBe(`ERR_CONNECT require_auth or channel_binding forbids a login by ${method}`)
    const startup = 8 + 'user\0app\0database\0postgres\0\0'.length
    expect(server.heard()).toBeLessThan(startup + 60)
  })
})

test('SCRAM that ends without the server’s proof counts as none', async () => {
  await using server = await startTlsServer(credentials, undefined, Buffer.concat([SCRAM, OK, READY]))
  const found = await logIn(server.port, { require_auth: 'scram-sha-256', connect_timeout: 2 })
  expect(found).toMatch(/^ERR_CONNECT /)
})
