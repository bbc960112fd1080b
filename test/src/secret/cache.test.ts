import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest'
import { ConnectionError } from '../../../src/base/connection-error.ts'
import { Diagnostics } from '../../../src/base/diagnostics.ts'
import { SecretCache } from '../../../src/secret/cache.ts'
import type { GetSecretValue, SecretValue, VersionStage } from '../../../src/secret/reader/request.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { inInvocation } from '../../support/invocation.ts'

const TTL_MS = 300_000
const ORIGIN = { code: 'ERR_SECRET_INVALID', name: 'secret "app/db"' } as const

let stderr: MockInstance<typeof process.stderr.write>
beforeEach(() => {
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  stderr.mockRestore()
})

function secretString(password: string): string {
  return JSON.stringify({ host: 'db.example.com', username: 'app', password })
}

/** An error as the SDK throws it: its name is the exception's. */
function exception(name: string, message = 'no'): Error {
  return Object.assign(new Error(message), { name, $metadata: { token: 'session-token' } })
}

const parsed = (text: string) => ({ ...parseSecret(text, { origin: ORIGIN }), isForSnapshot: false })

/** A service that answers as the test says, and counts. */
class Service {
  now = 1_000_000
  readonly requests: { stage: VersionStage; from: 'cached' | 'fresh' }[] = []
  answers: Partial<Record<VersionStage, SecretValue | Error>> = {}
  /** Answers wait for this. */
  hold: Promise<void> | undefined
  /** What the cache on the way still holds. */
  cached: SecretValue | undefined

  constructor(password: string) {
    this.put(password)
  }

  put(password: string, stage: VersionStage = 'AWSCURRENT'): SecretValue {
    const value = { secretString: secretString(password), versionId: password, createdAt: this.now }
    this.answers[stage] = value
    return value
  }

  get(from: 'cached' | 'fresh'): GetSecretValue {
    return async ({ versionStage }) => {
      this.requests.push({ stage: versionStage, from })
      await new Promise((resolve) => setImmediate(resolve))
      await this.hold
      const answer = (from === 'cached' ? this.cached : undefined) ?? this.answers[versionStage]
      if (answer === undefined) throw exception('ResourceNotFoundException')
      if (answer instanceof Error) throw answer
      return answer
    }
  }

  source(ttlMs = TTL_MS): SecretCache<ReturnType<typeof parsed>> {
    return new SecretCache({
      ...{ secretId: 'app/db', ttlMs, diagnostics: new Diagnostics(), now: () => this.now },
      ...{ getCached: this.get('cached'), getFresh: this.get('fresh') },
      resolve: parsed,
    })
  }
}

async function password(version: Promise<{ fields: { password?: { reveal(): string } } } | undefined>) {
  return (await version)?.fields.password?.reveal()
}

describe('the kept secret', () => {
  test('is what was read', async () => {
    const service = new Service('one')
    const source = service.source()
    expect(source.inUse).toBeUndefined()
    const version = await source.current()
    expect(version).toMatchObject({
      secret: { versionId: 'one', versionStage: 'AWSCURRENT', createdAt: 1_000_000, readAt: 1_000_000 },
      ...{ fields: { host: 'db.example.com', user: 'app' }, warnings: [] },
    })
    expect(source.inUse).toBe(version)
  })

  test('is read once until its time to live ends', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.put('two')
    service.now += TTL_MS - 1
    expect(await password(source.current())).toBe('one')
    service.now += 1
    expect(await password(source.current())).toBe('two')
    expect(service.requests).toHaveLength(2)
  })

  test('is taken as the cache has it when that is no older', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.now += TTL_MS
    await source.current()
    service.put('two')
    service.now += TTL_MS
    await source.current()
    expect(service.requests.map(({ from }) => from)).toEqual(['cached', 'cached', 'cached'])
  })

  test('with no time to live is read each time', async () => {
    const service = new Service('one')
    const source = service.source(0)
    await source.current()
    service.put('two')
    expect(await password(source.current())).toBe('two')
  })

  test('is asked for once by ten at a time', async () => {
    const service = new Service('one')
    const source = service.source()
    const versions = await Promise.all(Array.from({ length: 10 }, () => source.current()))
    expect(new Set(versions).size).toBe(1)
    expect(service.requests).toHaveLength(1)
  })

  test('is asked for once more by an invocation that waited for a request from before it, when that failed', async () => {
    const service = new Service('one')
    const source = service.source()
    const { promise: hold, resolve } = Promise.withResolvers<void>()
    service.answers.AWSCURRENT = exception('InternalServiceError')
    service.hold = hold
    const before = source.current()
    const after = inInvocation(5000, () => Promise.all([source.current(), source.current()]))
    resolve()
    await expect(before).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
    service.put('one')
    expect(new Set(await after).size).toBe(1)
    expect(service.requests).toHaveLength(2)
  })

  test('that does not come before the deadline is an error that says so', async () => {
    const service = new Service('one')
    const source = service.source()
    const { promise, resolve } = Promise.withResolvers<void>()
    service.hold = promise
    const now = performance.now()
    const read = inInvocation(400, () => source.current())
    await expect(read).rejects.toMatchObject({
      ...{ code: 'ERR_SECRET_UNAVAILABLE', hint: expect.stringContaining('NAT gateway') },
      message: expect.stringMatching(/^GetSecretValue for "app\/db" failed: TimeoutError: no answer within \d+ ms$/),
    })
    expect(performance.now() - now).toBeLessThan(300)
    resolve()
    expect(await password(source.current())).toBe('one')
  })

  test('a failure is shared by those who waited, and not kept', async () => {
    const service = new Service('one')
    const source = service.source()
    service.answers.AWSCURRENT = exception('ThrottlingException')
    const outcomes = await Promise.allSettled([source.current(), source.current()])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(service.requests).toHaveLength(1)
    service.put('one')
    expect(await password(source.current())).toBe('one')
  })
})

describe('stale beats down', () => {
  test.each([
    ['Secrets Manager fails', exception('InternalServiceError'), 'InternalServiceError: no'],
    [
      'the new value is unusable',
      { secretString: '{"nonsense":"p4ssw0rd"}', versionId: 'x', createdAt: 1 },
      'secret "app/db"',
    ],
    [
      'the new value is too deep for the engine',
      { secretString: `{"url":${'['.repeat(30_000)}"p4ssw0rd"${']'.repeat(30_000)}}`, versionId: 'x', createdAt: 1 },
      'secret "app/db"',
    ],
    [
      'the new value is too long',
      { secretString: `{"password":"${'p4ssw0rd'.repeat(10_000)}"}`, versionId: 'x', createdAt: 1 },
      'has 80015 characters; expected at most 65536',
    ],
    ['the new value is binary', { secretString: undefined, versionId: 'x', createdAt: 1 }, 'is binary'],
  ])('the version in use stays, with a warning, when %s', async (_, answer, told) => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.now += TTL_MS
    service.answers.AWSCURRENT = answer
    expect(await password(source.current())).toBe('one')
    const lines = stderr.mock.calls.map(([line]) => String(line))
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines.join(''))).toMatchObject({ kind: 'secret-stale', message: expect.stringContaining(told) })
    expect(lines.join('')).not.toContain('p4ssw0rd')
  })

  test('for 30 s, then Secrets Manager is asked again', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.now += TTL_MS
    service.answers.AWSCURRENT = exception('InternalServiceError')
    await source.current()
    service.put('two')
    service.now += 29_999
    expect(await password(source.current())).toBe('one')
    expect(service.requests).toHaveLength(2)
    service.now += 1
    expect(await password(source.current())).toBe('two')
  })

  test('and beats slow: nobody waits longer than a second, and the late value serves the next connection', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.now += TTL_MS
    const { promise, resolve } = Promise.withResolvers<void>()
    service.hold = promise
    service.put('two')
    expect(await password(source.current())).toBe('one')
    expect(stderr.mock.calls.join('')).toContain('no answer within 1000 ms')
    resolve()
    await expect.poll(() => password(source.current())).toBe('two')
  })

  test('the version in use stays when reading the new one makes an error of the engine, which is not shown', async () => {
    const service = new Service('one')
    let resolve = parsed
    const source = new SecretCache({
      ...{ secretId: 'app/db', ttlMs: 0, diagnostics: new Diagnostics(), now: () => service.now },
      ...{ getCached: service.get('cached'), getFresh: service.get('fresh'), resolve: (text: string) => resolve(text) },
    })
    await source.current()
    resolve = (text) => {
      throw new RangeError(`cannot read ${text}`)
    }
    expect(await password(source.current())).toBe('one')
    const error: unknown = await source.reread().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ERR_SECRET_INVALID', message: 'secret "app/db" cannot be read' })
    expect(inspect(error, { showHidden: true })).not.toContain('RangeError')
    expect(stderr.mock.calls.join('')).not.toContain('db.example.com')
  })

  test('but there has to be one in use', async () => {
    const service = new Service('one')
    service.answers.AWSCURRENT = exception('InternalServiceError')
    await expect(service.source().current()).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })
})

describe('reread', () => {
  test('goes past the cache and past the time to live, and its value is kept', async () => {
    const service = new Service('one')
    const source = service.source()
    service.cached = service.put('one')
    await source.current()
    service.now += 1000
    service.put('two')
    expect(await password(source.reread())).toBe('two')
    expect(await password(source.current())).toBe('two')
    expect(service.requests.map(({ from }) => from)).toEqual(['cached', 'fresh'])
  })

  test('is not undone by a cache that still holds what was replaced', async () => {
    const service = new Service('one')
    const source = service.source()
    service.cached = service.put('one')
    await source.current()
    service.now += 1000
    service.put('two')
    await source.reread()
    service.now += TTL_MS
    expect(await password(source.current())).toBe('two')
  })

  test('reports a failure, and the version in use stays', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.answers.AWSCURRENT = exception('InternalServiceError')
    await expect(source.reread()).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
    expect(await password(source.current())).toBe('one')
  })
})

describe('AWSPENDING', () => {
  test('is read past the cache and not kept', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.put('two', 'AWSPENDING')
    expect(await source.pending()).toMatchObject({ secret: { versionStage: 'AWSPENDING', versionId: 'two' } })
    expect(await password(source.current())).toBe('one')
    expect(service.requests.at(-1)).toEqual({ stage: 'AWSPENDING', from: 'fresh' })
  })

  test('is kept once the server accepted it', async () => {
    const service = new Service('one')
    const source = service.source()
    await source.current()
    service.put('two', 'AWSPENDING')
    const pending = await source.pending()
    if (pending !== undefined) source.adopt(pending)
    expect(await password(source.current())).toBe('two')
  })

  test('that is not there is undefined', async () => {
    expect(await new Service('one').source().pending()).toBeUndefined()
  })

  test('that cannot be read is an error', async () => {
    const service = new Service('one')
    service.answers.AWSPENDING = exception('AccessDeniedException')
    await expect(service.source().pending()).rejects.toMatchObject({ code: 'ERR_SECRET_UNAVAILABLE' })
  })
})

describe('errors', () => {
  test.each([
    ['ResourceNotFoundException', /region and account/],
    ['AccessDeniedException', /secretsmanager:GetSecretValue.*kms:Decrypt/],
    ['InvalidRequestException', /restore-secret/],
    ['ValidationException', /complete ARN/],
    ['DecryptionFailure', /kms:Decrypt/],
    ['UnrecognizedClientException', /credentials/],
    ['ExpiredTokenException', /expired/],
    ['CredentialsProviderError', /AWS CLI/],
    ['ThrottlingException', /throttles/],
    ['TimeoutError', /NAT gateway/],
    ['AbortError', /NAT gateway/],
    ['SomethingNew', /reach Secrets Manager/],
  ])('%s has a hint', async (name, hint) => {
    const service = new Service('one')
    service.answers.AWSCURRENT = exception(name, 'as AWS words it')
    const error: unknown = await service
      .source()
      .current()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      ...{ code: 'ERR_SECRET_UNAVAILABLE', safeToRetry: true, hint: expect.stringMatching(hint) },
      message: `GetSecretValue for "app/db" failed: ${name}: as AWS words it`,
      cause: { name, message: 'as AWS words it' },
    })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('session-token')
  })

  test('an error without a message gives its code', async () => {
    const service = new Service('one')
    service.answers.AWSCURRENT = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    await expect(service.source().current()).rejects.toThrow('failed: AggregateError: ECONNREFUSED')
  })

  test('a secret without a value is ERR_SECRET_INVALID', async () => {
    const service = new Service('one')
    const text = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"
    service.answers.AWSCURRENT = exception('ResourceNotFoundException', text)
    await expect(service.source().current()).rejects.toMatchObject({
      ...{ code: 'ERR_SECRET_INVALID', message: 'secret "app/db" has no value yet' },
    })
  })

  test('a binary secret is ERR_SECRET_INVALID', async () => {
    const service = new Service('one')
    service.answers.AWSCURRENT = { secretString: undefined, versionId: 'x', createdAt: 1 }
    const error: unknown = await service
      .source()
      .current()
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'ERR_SECRET_INVALID', message: 'secret "app/db" is binary; expected text' })
  })
})
