/** The real SDK and the extension's protocol over real HTTP, with Secrets Manager's stand-in behind both. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { inspect } from 'node:util'
import getPort from 'get-port'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { LoopbackHttpServer, type RequestHandler } from '../../../../local/loopback/http-server.ts'
import { SecretsExtensionStandIn } from '../../../../local/secrets-manager/extension-stand-in.ts'
import { SecretsManagerStandIn } from '../../../../local/secrets-manager/stand-in.ts'
import { Diagnostics } from '../../../../src/base/diagnostics.ts'
import { cachedReader, freshReader, sdkReader, secretReaders } from '../../../../src/secret/reader/readers.ts'
import type { GetSecretValue, SecretReaders, VersionStage } from '../../../../src/secret/reader/request.ts'
import { secretsExtension } from '../../../../src/secret/reader/secrets-extension.ts'
import { signedRequestReader } from '../../../../src/secret/reader/signed-request.ts'
import { readRoleAccess } from '../../../../src/settings/role-access.ts'
import { type Platform, readSettings } from '../../../../src/settings/settings.ts'

const SESSION_TOKEN = 'local-session-token'
const SECRET_TEXT = '{"password":"p4ssw0rd"}'
let standIn: SecretsManagerStandIn
let stderr: MockInstance<typeof process.stderr.write>
let name: string
let count = 0

beforeAll(async () => {
  standIn = await SecretsManagerStandIn.start()
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', standIn.url)
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local')
  vi.stubEnv('AWS_SESSION_TOKEN', SESSION_TOKEN)
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await standIn?.stop()
})

beforeEach(() => {
  count += 1
  name = `readers/${count}`
  standIn.secrets.create(name, SECRET_TEXT)
  standIn.requests.length = 0
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(() => {
  stderr.mockRestore()
  standIn.failWith(undefined)
})

function ask(reader: GetSecretValue, versionStage: VersionStage = 'AWSCURRENT', timeoutMs = 20_000) {
  return reader({ secretId: name, versionStage, signal: AbortSignal.timeout(timeoutMs) })
}

function reader(secretsExtensionPort: number, changes: Partial<Platform> = {}): GetSecretValue {
  const platform = {
    ...{
      isLambda: true,
      isSmall: false,
      functionName: undefined,
      region: 'us-east-1',
      home: undefined,
      functionModule: undefined,
      runtimeApi: undefined,
      sessionToken: () => SESSION_TOKEN,
    },
    ...{ secretsExtensionPort, roleAccess: () => undefined, stsAccess: () => undefined, isManagedInstances: false },
    isBeforeSnapshot: () => false,
    ...changes,
  }
  return cachedReader(platform, new Diagnostics())
}

function startExtension(): Promise<SecretsExtensionStandIn> {
  return SecretsExtensionStandIn.start({ secretsManagerUrl: standIn.url, sessionToken: SESSION_TOKEN })
}

const FUNCTION = { AWS_LAMBDA_FUNCTION_NAME: 'readers' }

/** A reader that needs the SDK only when its own request fails. */
function signedRequests(): GetSecretValue {
  return freshReader({ roleAccess: () => readRoleAccess({ ...process.env, ...FUNCTION }) })
}

/** How often the secret was read at Secrets Manager, by whomever. */
const reads = () => standIn.requests.length

const warnings = () =>
  stderr.mock.calls.map(([line]) => {
    const { kind, message }: { kind: string; message: string } = JSON.parse(String(line))
    return [kind, message]
  })

describe.each([
  ['the SDK', () => sdkReader],
  ['a request of our own', signedRequests],
])('%s', (_, readerOf) => {
  test('reads a version by its stage', async () => {
    const pendingId = standIn.secrets.put(name, 'pending', { stages: ['AWSPENDING'] })
    expect(await ask(readerOf())).toMatchObject({ secretString: SECRET_TEXT, createdAt: expect.any(Number) })
    expect(await ask(readerOf(), 'AWSPENDING')).toMatchObject({ secretString: 'pending', versionId: pendingId })
  })

  test('gives the time of creation in milliseconds', async () => {
    const { createdAt = 0 } = await ask(readerOf())
    expect(Math.abs(Date.now() - createdAt)).toBeLessThan(60_000)
  })

  test('gives a binary secret without text', async () => {
    standIn.secrets.put(name, Buffer.from([1, 2]))
    expect((await ask(readerOf())).secretString).toBeUndefined()
  })

  test("throws by the exception's name", async () => {
    await expect(ask(readerOf(), 'AWSPENDING')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    standIn.secrets.deny(name)
    await expect(ask(readerOf())).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('repeats a read that was cut or throttled', async () => {
    standIn.failNext(1, 'connection reset')
    expect(await ask(readerOf())).toMatchObject({ secretString: SECRET_TEXT })
    standIn.failNext(1, 'ThrottlingException')
    expect(await ask(readerOf())).toMatchObject({ secretString: SECRET_TEXT })
  })

  test('gives up when the signal says so', async () => {
    standIn.delayMs = 10_000
    const refused = expect(ask(readerOf(), 'AWSCURRENT', 50)).rejects.toMatchObject({ name: 'AbortError' })
    await refused.finally(() => (standIn.delayMs = 0))
  })
})

describe('a secret of another region, by its ARN,', () => {
  /** The region that each request is signed for. */
  async function signedFor(region: string, readerOf: (arn: string) => GetSecretValue): Promise<string[]> {
    const regions: string[] = []
    const server = await LoopbackHttpServer.start(({ headers }, response) => {
      regions.push(/\/([^/]+)\/secretsmanager\//.exec(headers.authorization ?? '')?.[1] ?? 'unsigned')
      response.end(JSON.stringify({ SecretString: SECRET_TEXT }))
    })
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.url)
    try {
      const secretId = `arn:aws:secretsmanager:${region}:111111111111:secret:app/db-AbCdEf`
      const request = { secretId, versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(20_000) } as const
      expect(await readerOf(secretId)(request)).toMatchObject({ secretString: SECRET_TEXT })
    } finally {
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', standIn.url)
      await server.stop()
    }
    return regions
  }

  test.each<[string, string, (arn: string) => GetSecretValue]>([
    ['the SDK', 'eu-west-1', () => sdkReader],
    [
      'a request of our own',
      'eu-west-2',
      (arn) => freshReader({ roleAccess: () => readRoleAccess({ ...process.env, ...FUNCTION }, arn) }),
    ],
  ])('is asked for there by %s', async (_, region, readerOf) => {
    expect(await signedFor(region, readerOf)).toEqual([region])
  })

  test('is not asked for from the extension, which knows its own region', async () => {
    await using extension = await startExtension()
    expect(await signedFor('eu-west-3', () => reader(extension.port))).toEqual(['eu-west-3'])
    expect([extension.cacheHits, warnings()]).toEqual([0, []])
  })
})

describe('keys that are replaced between two reads', () => {
  /** Access key id and session token of each request. */
  async function keysOf(read: (secretId: string) => Promise<unknown>): Promise<unknown[]> {
    const keys: unknown[] = []
    const server = await LoopbackHttpServer.start(({ headers }, response) => {
      const token = headers['x-amz-security-token'] ?? headers['x-aws-parameters-secrets-token']
      keys.push([/Credential=(\w+)/.exec(headers.authorization ?? '')?.[1], token])
      response.end(JSON.stringify({ SecretString: SECRET_TEXT }))
    })
    vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.url)
    vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', String(server.port))
    try {
      for (const [id, token] of [
        ['ASIAFIRST', 'first'],
        ['ASIASECOND', 'second'],
      ] as const) {
        vi.stubEnv('AWS_ACCESS_KEY_ID', id)
        vi.stubEnv('AWS_SESSION_TOKEN', token)
        await read(name)
      }
    } finally {
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', standIn.url)
      vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', undefined)
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
      vi.stubEnv('AWS_SESSION_TOKEN', SESSION_TOKEN)
      vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', undefined)
      await server.stop()
    }
    return keys
  }

  const BOTH = [
    ['ASIAFIRST', 'first'],
    ['ASIASECOND', 'second'],
  ]

  test.each([
    ['the SDK', 'getFresh', undefined, BOTH],
    ['a request of our own', 'getFresh', 'hello', BOTH],
    ['the extension', 'getCached', 'hello', BOTH.map(([, token]) => [undefined, token])],
  ] as const)('are used by %s', async (_, way, functionName, expected) => {
    let readers: SecretReaders | undefined
    const keys = await keysOf((secretId) => {
      vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', functionName)
      readers ??= secretReaders(readSettings({ secretId }).platform, new Diagnostics(), () => undefined)
      return readers[way]({ secretId, versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(20_000) })
    })
    expect(keys).toEqual(expected)
  })
})

describe('a request tells when it has left, once and before the answer:', () => {
  async function expectTold(getSecretValue: GetSecretValue): Promise<void> {
    standIn.delayMs = 50
    const told: number[] = []
    const onSent = (): void => void told.push(reads())
    const signal = AbortSignal.timeout(20_000)
    const answer = getSecretValue({ secretId: name, versionStage: 'AWSCURRENT', signal, onSent })
    await vi.waitFor(() => expect(told).toHaveLength(1))
    expect(await Promise.race([answer, 'under way'])).toBe('under way')
    await answer.finally(() => (standIn.delayMs = 0))
    expect(told).toHaveLength(1)
  }

  test('one of our own', () => expectTold(signedRequests()))

  test('one to the extension', async () => {
    await using extension = await startExtension()
    await expectTold(reader(extension.port))
  })
})

describe('a request of our own', () => {
  test.each(['AccessDeniedException', 'DecryptionFailure', 'InvalidRequestException'] as const)(
    'is not made again after %s, which it tells',
    async (fault) => {
      standIn.failWith(fault)
      await expect(ask(signedRequests())).rejects.toMatchObject({ name: fault, message: /./ })
      expect(reads()).toBe(1)
    },
  )

  test.each(['ThrottlingException', 'InternalServiceError', 'connection reset'] as const)(
    'gives way to the SDK after %s',
    async (fault) => {
      standIn.failNext(1, fault)
      expect(await ask(signedRequests())).toMatchObject({ secretString: SECRET_TEXT })
      expect(reads()).toBe(2)
    },
  )

  test.each([
    ['text', 'p4ssw0rd'],
    ['no object', '"p4ssw0rd"'],
  ])('tells of an answer that is %s without quoting it', async (_, body) => {
    const server = await LoopbackHttpServer.start((_request, response) => void response.end(body))
    const access = readRoleAccess({ ...process.env, ...FUNCTION, AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url })
    if (access === undefined) expect.fail('the SDK would be used')
    const error = await ask(signedRequestReader(access)).catch((reason: unknown) => reason)
    await server.stop()
    expect(error).toBeInstanceOf(Error)
    expect(inspect(error)).not.toContain('p4ssw0rd')
  })
})

describe('the extension', () => {
  test('hands the secret out, and again from its cache', async () => {
    await using extension = await startExtension()
    const get = reader(extension.port)
    const first = await ask(get)
    expect(first).toEqual({
      ...{ secretString: SECRET_TEXT, versionId: expect.any(String), createdAt: expect.any(Number) },
    })
    expect(Math.abs(Date.now() - (first.createdAt ?? 0))).toBeLessThan(60_000)
    expect(await ask(get)).toEqual(first)
    expect([extension.cacheHits, reads()]).toEqual([1, 1])
    expect(warnings()).toEqual([])
  })

  test.each([
    ['ARN', 'db', (arn: string) => arn],
    ['name with all that names may hold', '/a+b=c@d.e_f-G', (_arn: string, secretName: string) => secretName],
  ])('is asked for a secret by its %s', async (_, ending, idOf) => {
    await using extension = await startExtension()
    const secretName = `by-id/${count}${ending}`
    const secretId = idOf(standIn.secrets.create(secretName, 'found'), secretName)
    const request = { secretId, versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(20_000) } as const
    expect(await reader(extension.port)(request)).toMatchObject({ secretString: 'found' })
    expect(warnings()).toEqual([])
  })

  test.each([
    ['outside Lambda', { isLambda: false }],
    ['without a session token', { sessionToken: () => undefined }],
  ])('is not asked %s', async (_, changes) => {
    await using extension = await startExtension()
    const get = reader(extension.port, changes)
    await ask(get)
    await ask(get)
    expect([extension.cacheHits, reads()]).toEqual([0, 2])
  })

  test('that is absent is not asked again, and not reported', async () => {
    const port = await getPort()
    const get = reader(port)
    expect(await ask(get)).toMatchObject({ secretString: SECRET_TEXT })
    let asked = 0
    const late = createServer((_, response) => {
      asked += 1
      response.end('{}')
    }).listen(port, '127.0.0.1')
    await once(late, 'listening')
    await ask(get)
    late.close()
    expect(asked).toBe(0)
    expect(warnings()).toEqual([])
  })

  test.each([
    ['notReady', 'Error: the secrets extension answered 400'],
    ['broken', 'Error: the secrets extension answered 500'],
    ['absent', expect.stringMatching(/^Error: .*ECONNRESET|socket hang up/)],
  ] as const)('in state %s is made up for by the SDK, with a warning, and asked again', async (state, reason) => {
    await using extension = await startExtension()
    extension.state = state
    const get = reader(extension.port)
    expect(await ask(get)).toMatchObject({ secretString: SECRET_TEXT })
    const [[kind, message = ''] = []] = warnings()
    expect(kind).toBe('secrets-extension')
    expect(message.replace('the secrets extension failed, the SDK is used: ', '')).toEqual(reason)
    extension.state = 'ready'
    await ask(get)
    await ask(get)
    expect(extension.cacheHits).toBe(1)
  })

  test('that refuses the token is made up for by the SDK', async () => {
    await using extension = await startExtension()
    const get = reader(extension.port, { sessionToken: () => 'another-token' })
    expect(await ask(get)).toMatchObject({ secretString: SECRET_TEXT })
    expect(warnings()).toEqual([
      ['secrets-extension', 'the secrets extension failed, the SDK is used: Error: the secrets extension answered 401'],
    ])
  })

  test("that fails because of the secret leaves the word to the SDK's error", async () => {
    await using extension = await startExtension()
    standIn.secrets.deny(name)
    await expect(ask(reader(extension.port))).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  describe('played by a server that is', () => {
    const cases: readonly [string, RequestHandler, RegExp][] = [
      ['silent', () => undefined, /aborted/],
      ['slow to end', (_, response) => void response.writeHead(200).write(SECRET_TEXT.slice(0, 5)), /aborted/],
      [
        'cut off in the midst',
        (_, response) => {
          response.writeHead(200, { 'Content-Length': '100' }).write(SECRET_TEXT, () => response.destroy())
        },
        /aborted|hang up|ECONNRESET/,
      ],
      [
        'not JSON',
        (_, response) => void response.end(SECRET_TEXT.slice(0, -1)),
        /answered 22 characters that are not JSON/,
      ],
      ['no object', (_, response) => void response.end('null'), /without a JSON object/],
    ]
    test.each(cases)('%s, is made up for by the SDK, and its answer not shown', async (_, handle, reason) => {
      const server = await LoopbackHttpServer.start(handle)
      const startedAt = performance.now()
      expect(await ask(reader(server.port))).toMatchObject({ secretString: SECRET_TEXT })
      await server.stop()
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      expect(warnings()).toEqual([['secrets-extension', expect.stringMatching(reason)]])
      expect(JSON.stringify(warnings())).not.toContain('p4ssw0rd')
    })
  })

  test('shows neither token nor secret in its errors', async () => {
    const server = await LoopbackHttpServer.start((_, response) => void response.end(SECRET_TEXT.slice(0, -1)))
    const error: unknown = await ask(secretsExtension(server.port, SESSION_TOKEN)).catch((thrown: unknown) => thrown)
    await server.stop()
    const printed = inspect(error, { depth: Infinity, showHidden: true })
    expect(printed).not.toContain('p4ssw0rd')
    expect(printed).not.toContain(SESSION_TOKEN)
  })

  test('absent throws ExtensionAbsent', async () => {
    await expect(ask(secretsExtension(await getPort(), SESSION_TOKEN))).rejects.toMatchObject({
      name: 'ExtensionAbsent',
    })
  })
})
