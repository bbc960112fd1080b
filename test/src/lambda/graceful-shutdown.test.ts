/** Registering for shutdown, in processes of their own beside a Runtime API that may refuse; and ending sessions. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import getPort from 'get-port'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { LoopbackHttpServer } from '../../../local/loopback/http-server.ts'
import { openProduct, type Product, rejection } from '../../support/product.ts'

const SCRIPT = new URL('../../support/registers-for-shutdown.ts', import.meta.url)
const IDENTIFIER = { 'Lambda-Extension-Identifier': 'an-identifier' }
const ON = { COCKROACH_GRACEFUL_SHUTDOWN: 'true' }

type Answer = (response: ServerResponse) => void
const accepts: Answer = (response) => response.writeHead(200, IDENTIFIER).end('{}')

const children: ChildProcess[] = []
const servers: LoopbackHttpServer[] = []

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

const until = (condition: () => boolean | Promise<boolean>) => vi.waitUntil(condition, { timeout: 20_000 })

interface Call {
  readonly route: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A Runtime API that answers registrations as told, and `event/next` never. */
async function startRuntimeApi(answer: Answer): Promise<{ address: string; calls: Call[] }> {
  const calls: Call[] = []
  const server = await LoopbackHttpServer.start(async (request, response) => {
    calls.push({ route: `${request.method} ${request.url}`, headers: request.headers, body: await text(request) })
    if (request.url?.endsWith('/register')) answer(response)
  })
  servers.push(server)
  return { address: `127.0.0.1:${server.port}`, calls }
}

interface Outcome {
  readonly child: ChildProcess
  readonly ms: number
  readonly isListening: boolean
  readonly warnings: () => string
}

async function register(environment: Readonly<Record<string, string>>): Promise<Outcome> {
  const child = fork(SCRIPT, { env: environment, stdio: ['ignore', 'inherit', 'pipe', 'ipc'] })
  children.push(child)
  let warnings = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    warnings += chunk
  })
  const [{ ms, isListening }] = await once(child, 'message')
  return { child, ms, isListening, warnings: () => warnings }
}

const TOO_LATE = 'did not answer within 1000 ms'

/** Registers with a Runtime API that answers at once, again where the processor was too busy for a second. */
async function registerInTime(answer: Answer): Promise<Outcome & { calls: Call[] }> {
  for (;;) {
    const { address, calls } = await startRuntimeApi(answer)
    const outcome = await register({ ...ON, AWS_LAMBDA_RUNTIME_API: address })
    if (outcome.ms < 1000) return { ...outcome, calls }
  }
}

describe('registering', () => {
  test('happens once, without events, waits for none, and SIGTERM closes all', async () => {
    const { child, warnings, calls } = await registerInTime(accepts)
    await until(() => calls.length === 2)
    expect(calls).toMatchObject([
      {
        route: 'POST /2020-01-01/extension/register',
        headers: { 'lambda-extension-name': 'cockroach-lambda' },
        body: '{"events":[]}',
      },
      {
        route: 'GET /2020-01-01/extension/event/next',
        headers: { 'lambda-extension-identifier': 'an-identifier' },
      },
    ])
    const closed: unknown[] = []
    child.on('message', (message) => closed.push(message))
    child.kill('SIGTERM')
    await until(() => closed.length === 2)
    expect(closed).toEqual([{ closed: 'first' }, { closed: 'second' }])
    expect(calls).toHaveLength(2)
    expect(warnings()).toBe('')
  })

  const FAILURES: readonly (readonly [string, Answer, string])[] = [
    ['that refuses', (response) => response.writeHead(403).end('{}'), 'refused it'],
    ['that names no identifier', (response) => response.writeHead(200).end('{}'), 'refused it'],
    ['that breaks off', (response) => response.destroy(), 'could not be reached'],
  ]

  /** One warning, and SIGTERM is listened to all the same: another extension may have registered for it. */
  async function expectOneWarning({ child, isListening, warnings }: Outcome, reason: string): Promise<void> {
    expect(isListening).toBe(true)
    await until(() => warnings().endsWith('\n'))
    const lines = warnings().trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({ kind: 'graceful-shutdown', message: expect.stringContaining(reason) }),
    ])
    const closed = once(child, 'message')
    child.kill('SIGTERM')
    expect((await closed)[0]).toEqual({ closed: 'first' })
  }

  test.each(FAILURES)('with a Runtime API %s is one warning, and no more', async (_name, answer, reason) => {
    await expectOneWarning(await registerInTime(answer), reason)
  })

  test('with a Runtime API that says nothing is one warning after a second', async () => {
    const { address } = await startRuntimeApi(() => undefined)
    const outcome = await register({ ...ON, AWS_LAMBDA_RUNTIME_API: address })
    expect(outcome.ms).toBeGreaterThanOrEqual(1000)
    await expectOneWarning(outcome, TOO_LATE)
  })

  test('without a Runtime API is one warning', async () => {
    const address = `127.0.0.1:${await getPort()}`
    let outcome = await register({ ...ON, AWS_LAMBDA_RUNTIME_API: address })
    while (outcome.ms >= 1000) outcome = await register({ ...ON, AWS_LAMBDA_RUNTIME_API: address })
    await expectOneWarning(outcome, 'could not be reached')
  })

  test.each([
    ['not asked for', {}],
    ['on Managed Instances', { ...ON, AWS_LAMBDA_MAX_CONCURRENCY: '8' }],
  ])('does not happen when %s', async (_name, environment) => {
    const { address, calls } = await startRuntimeApi(accepts)
    const { isListening, warnings } = await register({ ...environment, AWS_LAMBDA_RUNTIME_API: address })
    expect({ isListening, calls, warnings: warnings() }).toEqual({ isListening: false, calls: [], warnings: '' })
  })
})

describe('terminating a pool', () => {
  let product: Product

  beforeAll(async () => {
    product = await openProduct()
  })
  afterAll(async () => {
    await product[Symbol.asyncDispose]()
  })

  test('ends idle sessions, lent ones, and those with a statement under way', async () => {
    const { user, postgres } = product.cloud
    const pool = product.database({ max: 3 }).getPool()
    const [busy, lent, idle] = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    await Promise.all([lent.query('begin'), idle.query('select 1')])
    idle.release()
    const lost = rejection(busy.query('select pg_sleep(60)'))
    await until(async () => (await postgres.sessions({ user })).some(({ query }) => query.includes('pg_sleep')))
    pool.terminate()
    await until(async () => (await postgres.sessions({ user })).length === 0)
    expect(['57014', 'ERR_CONNECTION_LOST']).toContain((await lost).code)
  })

  test('ends a session that was being opened when it is ready', async () => {
    const { user, postgres } = product.cloud
    const { standIn } = product.cloud
    const database = product.database()
    standIn.resetCounts()
    standIn.delayMs = 20
    const outcome = rejection(database.query('select pg_sleep(60)'))
    await until(() => standIn.counts.tcp === 1)
    database.getPool().terminate()
    expect((await outcome).code).toBe('ERR_CONNECTION_LOST')
    await until(async () => (await postgres.sessions({ user })).length === 0)
  })

  test('opens no session when it comes before the secret', async () => {
    vi.stubEnv('COCKROACH_GRACEFUL_SHUTDOWN', 'true')
    vi.stubEnv('AWS_LAMBDA_RUNTIME_API', `127.0.0.1:${await getPort()}`)
    const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const others = process.listeners('SIGTERM')
    const database = product.database()
    product.cloud.standIn.resetCounts()
    const connecting = database.warmUp()
    const onSigterm = process.listeners('SIGTERM').find((listener) => !others.includes(listener))
    onSigterm?.('SIGTERM')
    await connecting
    expect(await rejection(database.query('select 1'))).toMatchObject({ code: 'ERR_CLOSED' })
    expect({ isListening: onSigterm !== undefined, tcp: product.cloud.standIn.counts.tcp }).toEqual({
      isListening: true,
      tcp: 0,
    })
    stderr.mockRestore()
    vi.unstubAllEnvs()
  })
})
