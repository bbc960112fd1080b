import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { Diagnostics } from '../../../src/base/diagnostics.ts'
import { ConnectionSource, isSameDestination } from '../../../src/connection/source.ts'
import type { GetSecretValue } from '../../../src/secret/reader/request.ts'
import { readSettings } from '../../../src/settings/settings.ts'
import { credentialsOf, makeCertificate } from '../../support/tls-server.ts'

const TTL_MS = 300_000
const FIELDS = { host: 'db.example.com', username: 'app', password: 'p4ssw0rd' }

let now: number
let secret: object
let reads: number
let stderr: MockInstance<typeof process.stderr.write>

beforeEach(() => {
  now = 0
  secret = FIELDS
  reads = 0
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(() => {
  stderr.mockRestore()
})

function openSource(variables: Readonly<Record<string, string>> = {}): ConnectionSource {
  const get: GetSecretValue = async () => {
    reads += 1
    return { secretString: JSON.stringify(secret), versionId: String(reads), createdAt: now }
  }
  return new ConnectionSource({
    settings: readSettings(
      { secretId: 'app/db' },
      { COCKROACH_SECRET_TTL_SECONDS: String(TTL_MS / 1000), ...variables },
    ),
    readers: { getCached: get, getFresh: get },
    ...{ diagnostics: new Diagnostics(), moduleDirectory: import.meta.dirname, now: () => now },
  })
}

const warnings = () => stderr.mock.calls.map(([line]) => JSON.parse(String(line)).kind)

test('a connection is made once of a version, and holds what the version is, not its text', async () => {
  const source = openSource()
  const connection = await source.current()
  expect(connection).toMatchObject({
    parameters: { host: 'db.example.com', user: 'app' },
    secret: { versionId: '1', versionStage: 'AWSCURRENT', createdAt: 0, readAt: 0 },
  })
  expect(await source.current()).toBe(connection)
  expect(reads).toBe(1)
})

test.each([
  ['names no host', { ...FIELDS, host: undefined }],
  ['names a root certificate that is not there', { ...FIELDS, sslrootcert: '/absent/root.crt' }],
  ['contradicts the routing', { ...FIELDS, host: '10.0.0.1', port: 26257, dbname: 'a-1.b', cluster: 'c-2' }],
  ['switches TLS off', { ...FIELDS, sslmode: 'disable' }],
])('the connection before it goes on serving when a new version %s', async (_, next) => {
  const source = openSource()
  const connection = await source.current()
  secret = next
  now += TTL_MS
  expect(await source.current()).toBe(connection)
  expect(warnings()).toEqual(['secret-stale'])
})

test('a missing field is told with the key that it may be misspelt in', async () => {
  const source = openSource()
  secret = { hots: 'db.example.com', username: 'app', password: 'p4ssw0rd' }
  await expect(source.current()).rejects.toMatchObject({
    code: 'ERR_SECRET_INVALID',
    message:
      'secret "app/db" holds no host, and neither do options and environment; secret "app/db": ignored key "hots"; did you mean "host"?',
  })
})

test('a first version with unusable connection parameters is an error, and the next version is tried', async () => {
  const source = openSource()
  secret = { ...FIELDS, sslrootcert: '/absent/root.crt' }
  await expect(source.current()).rejects.toMatchObject({ code: 'ERR_TLS' })
  secret = FIELDS
  expect(await source.current()).toMatchObject({ secret: { versionId: '2' } })
})

test('the early destination is that of the environment, until the secret was read', async () => {
  const source = openSource({ PGHOST: 'db.example.com', PGUSER: 'app', PGDATABASE: 'app' })
  const early = source.early()
  expect(early).toMatchObject({ parameters: { host: 'db.example.com', user: 'app', dbname: 'app' } })
  const { rootCertificate } = await source.current()
  expect(early?.rootCertificate).toBe(rootCertificate)
  expect(source.early()).toBeUndefined()
})

const CLOUD = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'

test.each([
  ['postgresql://localhost/dev', FIELDS, true],
  ['postgresql://other@db.example.com', FIELDS, true],
  ['postgresql://app:p4ssw0rd@db.example.com:5433/app', FIELDS, true],
  ['postgresql://app:other@DB.example.com:5432/app', FIELDS, false],
  ['postgresql://db.example.com', FIELDS, false],
  [`postgresql://app@${CLOUD}/defaultdb`, { ...FIELDS, host: CLOUD }, false],
  [`postgresql://app@${CLOUD}/cozy-otter-4821.defaultdb`, { ...FIELDS, host: CLOUD }, false],
  ['https://shop.example.com', FIELDS, false],
])('DATABASE_URL %s beside the secret %j: a warning names both, %j', async (DATABASE_URL, value, isExpected) => {
  secret = value
  const connection = await openSource({ DATABASE_URL }).current()
  expect(connection.parameters.host).toBe(value.host)
  const lines = stderr.mock.calls.map(([line]) => JSON.parse(String(line)).message)
  expect(lines).toEqual(
    isExpected ? ['COCKROACH_SECRET_ID and DATABASE_URL name different connections: secret "app/db" is used'] : [],
  )
})

test('an early destination and that of a secret with another client certificate are not the same', async () => {
  const root = await makeCertificate({ name: 'Root', isAuthority: true })
  const pair = async () => credentialsOf(await makeCertificate({ name: 'app', signer: root }))
  const [first, second] = [await pair(), await pair()]
  const variables = { PGHOST: 'db.example.com', PGUSER: 'app', PGDATABASE: 'app' }
  const early = (certificate: typeof first | undefined) =>
    openSource({
      ...variables,
      ...(certificate && { PGSSLCERT: String(certificate.cert), PGSSLKEY: String(certificate.key) }),
    })
  const isSame = async (source: ConnectionSource) => {
    const destination = source.early()
    return (
      destination !== undefined &&
      isSameDestination(destination, { ...(await source.current()), rootCertificate: destination.rootCertificate })
    )
  }
  secret = { password: 'p4ssw0rd', dbname: 'app' }
  expect(await isSame(early(first))).toBe(true)
  secret = { sslcert: first.cert, sslkey: first.key }
  expect(await isSame(early(first))).toBe(true)
  expect(await isSame(early(second))).toBe(false)
  expect(await isSame(early(undefined))).toBe(false)
})
