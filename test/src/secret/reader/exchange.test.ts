/** What others answer is bounded, and shown without what they know from us: all three readers, over real HTTP. */
import type { ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { answerJson, LoopbackHttpServer, type RequestHandler } from '../../../../local/loopback/http-server.ts'
import { ConnectionError } from '../../../../src/base/connection-error.ts'
import { Diagnostics } from '../../../../src/base/diagnostics.ts'
import { SecretCache } from '../../../../src/secret/cache.ts'
import { collect } from '../../../../src/secret/reader/exchange.ts'
import { sdkReader } from '../../../../src/secret/reader/readers.ts'
import type { GetSecretValue } from '../../../../src/secret/reader/request.ts'
import { secretsExtension } from '../../../../src/secret/reader/secrets-extension.ts'
import { signedRequestReader } from '../../../../src/secret/reader/signed-request.ts'
import { readRoleAccess } from '../../../../src/settings/role-access.ts'

const KEY = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const TOKEN = `IQoJb3JpZ2luX2VjE${'0123456789+/abcd'.repeat(60)}==`
const SECRET_TEXT = '{"password":"p4ssw0rd of the application"}'

let server: LoopbackHttpServer
let handle: RequestHandler

beforeAll(async () => {
  server = await LoopbackHttpServer.start((request, response) => handle(request, response))
  // The library's client reads them when it is made, once for the process.
  vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', server.url)
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', KEY)
  vi.stubEnv('AWS_SESSION_TOKEN', TOKEN)
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
})

afterAll(async () => {
  vi.unstubAllEnvs()
  await server?.stop()
})

beforeEach(() => {
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(() => {
  vi.restoreAllMocks()
})

function signedRequest(): GetSecretValue {
  const access = readRoleAccess({ ...process.env, AWS_LAMBDA_FUNCTION_NAME: 'exchange' })
  if (access === undefined) expect.fail('the SDK would be used')
  return signedRequestReader(access)
}

const READERS: readonly [string, () => GetSecretValue][] = [
  ['the SDK', () => sdkReader],
  ['a request of our own', signedRequest],
  ['a request to the extension', () => secretsExtension(server.port, TOKEN)],
]

function ask(reader: GetSecretValue) {
  return reader({ secretId: 'app/db', versionStage: 'AWSCURRENT', signal: AbortSignal.timeout(20_000) })
}

/** The error as whoever asked for a connection gets it. */
async function failure(reader: GetSecretValue): Promise<ConnectionError> {
  const cache = new SecretCache({
    ...{ secretId: 'app/db', ttlMs: 0, getCached: reader, getFresh: reader, now: () => Date.now() },
    ...{ resolve: () => expect.fail('a secret was read'), diagnostics: new Diagnostics() },
  })
  const error: unknown = await cache.current().catch((reason: unknown) => reason)
  if (!(error instanceof ConnectionError)) expect.fail(`no ConnectionError: ${inspect(error)}`)
  return error
}

/** Everything of an error that a careless logger can print. */
function printed(error: unknown): string {
  return inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null })
}

describe.each(READERS)('%s', (_, readerOf) => {
  test('takes the longest secret that there is, each byte of it escaped', async () => {
    const secretString = '\u0001'.repeat(65_536)
    handle = (_request, response) =>
      answerJson(response, 200, { SecretString: secretString, VersionId: 'v'.repeat(64) })
    expect((await ask(readerOf())).secretString).toBe(secretString)
  })

  test.each([
    ['without an end', {}],
    ['of 100 MB', { 'Content-Length': String(100_000_000) }],
  ])('breaks an answer off that is %s', async (_, headers) => {
    let sentBytes = 0
    let isClosed = false
    const more = (response: ServerResponse): void => {
      const chunk = Buffer.alloc(100_000, 'x')
      while (!isClosed && sentBytes < 90_000_000) {
        sentBytes += chunk.length
        if (!response.write(chunk)) return void response.once('drain', () => more(response))
      }
    }
    handle = (_request, response) => {
      response.on('close', () => {
        isClosed = true
      })
      response.writeHead(200, headers)
      more(response)
    }
    const error = await failure(readerOf())
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', message: /has more than 409600 bytes$/ })
    await vi.waitFor(() => expect(isClosed).toBe(true))
    // What systems hold on the way between two sockets, and not what the server would have sent.
    expect(sentBytes).toBeLessThan(20_000_000)
  })

  test('quotes nothing of an answer that cannot be read', async () => {
    handle = (_request, response) => void response.end(`{"SecretString":${SECRET_TEXT}p4ssw0rd`)
    const text = printed(await failure(readerOf()))
    expect(text).toContain('not JSON')
    expect(text).not.toContain('p4ssw0rd')
  })
})

const CANONICAL = ['The request signature we calculated does not match.', '', 'The Canonical String was', "'POST", '/']

describe.each(READERS.slice(0, 2))('%s that AWS refuses', (_, readerOf) => {
  test.each([
    ['in lines of their own', (words: string) => [...CANONICAL, words].join('\n')],
    ['in one line', (words: string) => `does not match: ${words}`],
    ['behind a long text', (words: string) => `${'x'.repeat(900)}${words}`],
  ])('shows neither key nor token that AWS quotes %s', async (_, message) => {
    for (const [type, words] of [
      ['AccessDeniedException', `x-amz-security-token:${TOKEN} ${KEY}`],
      ['AccessDeniedException', `${encodeURIComponent(TOKEN)} ${encodeURIComponent(KEY)}`],
      ['InvalidSignatureException', `x-amz-security-token:${TOKEN} ${KEY}`],
    ] as const) {
      handle = (_request, response) => answerJson(response, 400, { __type: type, message: message(words) })
      const text = printed(await failure(readerOf()))
      expect(text).not.toContain(TOKEN.slice(0, 16))
      expect(text).not.toContain(TOKEN.slice(-20, -2))
      expect(text).not.toContain(KEY.slice(0, 16))
    }
  })

  test.each([
    ['constructor', 'constructor'],
    ['__proto__', '__proto__'],
    ['toString', 'toString'],
    ['of 100 kB', 'E'.repeat(100_000)],
  ])('with exception %s has a hint, and a short message', async (_, type) => {
    handle = (_request, response) => answerJson(response, 400, { __type: type, message: 'm'.repeat(100_000) })
    const error = await failure(readerOf())
    expect(error).toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE', hint: expect.stringMatching(/^Can the function/) })
    expect(printed(error).length).toBeLessThan(20_000)
  })
})

test('an answer that ends without a word is an error', async () => {
  const answer = new PassThrough()
  const collected = collect(answer)
  answer.write('{')
  answer.destroy()
  await expect(collected).rejects.toThrow('the answer was cut off')
})
