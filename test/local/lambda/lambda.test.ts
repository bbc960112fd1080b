/** The Lambda runner, with small handlers in processes of their own. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { strToU8, zipSync } from 'fflate'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { ExecutionEnvironment, type ExecutionEnvironmentOptions } from '../../../local/lambda/execution-environment.ts'
import type { FunctionDefinition } from '../../../local/lambda/function-definition.ts'
import { node22Path } from '../../../local/node-22.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const fixtures = join(import.meta.dirname, '../../fixtures/lambda')
const started: ExecutionEnvironment[] = []
let scratch: string
/** Two layers with the same package: a zip file with both of its entries, a folder with another ESM entry. */
let layerA: string
let layerB: string
/** A folder with a handler that is no JavaScript. */
let brokenCode: string

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'local-lambda-test-'))
  const manifest = JSON.stringify({
    name: 'greeting',
    version: '1.0.0',
    exports: { '.': { import: './index.mjs', require: './index.cjs' } },
  })
  layerA = join(scratch, 'layer-a.zip')
  const files = {
    'certs/root.crt': 'root of layer a',
    'nodejs/node_modules/greeting/package.json': manifest,
    'nodejs/node_modules/greeting/index.mjs': "export const greet = () => 'hello from layer a,'",
    'nodejs/node_modules/greeting/index.cjs': "exports.greet = () => 'hello from layer a,'",
  }
  await writeFile(
    layerA,
    zipSync(Object.fromEntries(Object.entries(files).map(([name, content]) => [name, strToU8(content)]))),
  )
  layerB = join(scratch, 'layer-b')
  // Not among the fixtures, where linters would stumble over it.
  brokenCode = join(scratch, 'broken')
  await mkdir(brokenCode)
  await writeFile(join(brokenCode, 'broken.cjs'), 'exports.handler = async ( => {}')
  const folder = join(layerB, 'nodejs', 'node_modules', 'greeting')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'index.mjs'), "export const greet = () => 'hello from layer b,'")
})

afterEach(async () => {
  await Promise.all(started.splice(0).map((environment) => environment.shutdown()))
})

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true })
})

function define(handler: string, changes: Partial<FunctionDefinition> = {}): FunctionDefinition {
  return {
    handler,
    code: join(fixtures, 'task'),
    layers: [],
    environment: {},
    timeoutSeconds: 20,
    memoryMb: 256,
    runtime: 'nodejs24.x',
    ...changes,
  }
}

async function start(
  handler: string,
  changes: Partial<FunctionDefinition> = {},
  options: ExecutionEnvironmentOptions = {},
): Promise<ExecutionEnvironment> {
  const environment = await ExecutionEnvironment.start(define(handler, changes), options)
  started.push(environment)
  return environment
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`Waited in vain until ${what}`)
    await sleep(5)
  }
}

describe('invocations', () => {
  test('one process serves all invocations, with the event and a context', async () => {
    const environment = await start('echo.handler', {}, { functionName: 'health-check' })
    const first = await environment.invoke({ text: 'grüße', list: [1, null] })
    const second = await environment.invoke(undefined, { timeoutMs: 5_000 })
    expect(first).toMatchObject({
      ok: true,
      timedOut: false,
      ms: expect.any(Number),
      payload: {
        event: { text: 'grüße', list: [1, null] },
        count: 1,
        pid: environment.pid,
        context: {
          functionName: 'health-check',
          functionVersion: '$LATEST',
          memoryLimitInMB: '256',
          logGroupName: '/aws/lambda/health-check',
          invokedFunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:health-check',
          awsRequestId: expect.stringMatching(/^[\da-f-]{36}$/),
        },
      },
    })
    expect(first.payload).not.toHaveProperty('context.callbackWaitsForEmptyEventLoop')
    expect(first).toHaveProperty(
      'payload.remainingMs',
      expect.toSatisfy((ms) => ms > 15_000 && ms <= 20_000),
    )
    expect(second).toMatchObject({ payload: { event: null, count: 2, pid: environment.pid } })
    expect(second).toHaveProperty(
      'payload.remainingMs',
      expect.toSatisfy((ms) => ms > 1_000 && ms <= 5_000),
    )
    expect(environment).toMatchObject({ coldStarts: 1, output: 'invocation 1\ninvocation 2\n' })
    expect(environment.initMs).toBeGreaterThan(10)
  })

  test.each([
    ['echo.nothing', null],
    ['echo.nested.inside.handler', 'nested'],
  ])('handler %s answers', async (handler, payload) => {
    expect(await (await start(handler)).invoke({})).toMatchObject({ ok: true, payload })
  })

  test('a second invocation at the same time is refused', async () => {
    const environment = await start('echo.handler')
    const first = environment.invoke({})
    await expect(environment.invoke({})).rejects.toThrow('handles another invocation')
    expect(await first).toMatchObject({ ok: true })
  })
})

describe('environment variables', () => {
  test('are those of Lambda, the function and the options, and no others', async () => {
    const environment = await start(
      'echo.handler',
      { environment: { PGSSLROOTCERT: '/opt/certs/root.crt', LISTED: '/opt/a:/opt/b', OTHER: 'x/opt/y' } },
      { region: 'ap-southeast-1', environment: { AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1' } },
    )
    const result = await environment.invoke({})
    const { opt } = environment
    const runtime = join(import.meta.dirname, '../../..', 'local', 'lambda', 'runtime')
    expect(result).toHaveProperty('payload.environment', {
      _HANDLER: 'echo.handler',
      _X_AMZN_TRACE_ID: expect.stringMatching(/^Root=1-[\da-f]{8}-[\da-f]{24};Parent=[\da-f]{16};Sampled=0$/),
      AWS_ACCESS_KEY_ID: expect.any(String),
      AWS_DEFAULT_REGION: 'ap-southeast-1',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:1',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_FUNCTION_NAME: 'local-function',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/local-function',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringMatching(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][\da-f]{32}$/),
      AWS_LAMBDA_RUNTIME_API: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      AWS_REGION: 'ap-southeast-1',
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      AWS_SESSION_TOKEN: 'local-session-token',
      AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
      HOME: expect.any(String),
      LAMBDA_RUNTIME_DIR: runtime,
      LAMBDA_TASK_ROOT: expect.any(String),
      LANG: 'en_US.UTF-8',
      LD_LIBRARY_PATH: expect.stringContaining(`${opt}/lib`),
      LISTED: `${opt}/a:${opt}/b`,
      NODE_PATH: expect.stringContaining(`${opt}/nodejs/node24/node_modules:${opt}/nodejs/node_modules:${runtime}/`),
      OTHER: 'x/opt/y',
      PATH: expect.any(String),
      PGSSLROOTCERT: `${opt}/certs/root.crt`,
      TMPDIR: expect.any(String),
      TZ: ':UTC',
    })
    expect(result).toHaveProperty('payload.cwd', Object(result.payload).environment.LAMBDA_TASK_ROOT)
  })

  test('a reserved name is refused as Lambda refuses it', async () => {
    await expect(start('echo.handler', { environment: { AWS_REGION: 'x', _HANDLER: 'y', A: 'b' } })).rejects.toThrow(
      'Reserved keys used in this request: _HANDLER, AWS_REGION',
    )
  })
})

describe.each([
  ['nodejs24.x', () => process.execPath],
  ['nodejs22.x', node22Path],
] as const)('layers on %s', (runtime, nodeBinary) => {
  test.each([
    ['import of a package', 'module.handler', 'a', 'hello from layer a, imported'],
    ['require of a package', 'commonjs.handler', 'a', 'hello from layer a, required'],
    ['a later layer covers an earlier one', 'module.handler', 'ab', 'hello from layer b, imported'],
    ['what a later layer lacks stays', 'commonjs.handler', 'ab', 'hello from layer a, required'],
  ])('%s', async (_, handler, which, payload) => {
    const layers = which === 'a' ? [layerA] : [layerA, layerB]
    const environment = await start(handler, { layers, runtime }, { nodeBinary: nodeBinary() })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload })
    expect(await readFile(join(environment.opt, 'certs', 'root.crt'), 'utf8')).toBe('root of layer a')
  })
})

describe('folders', () => {
  test('environments with the same layers share a folder, and the last one removes it', async () => {
    const [first, second, other] = await Promise.all([
      start('echo.handler', { layers: [layerA] }),
      start('echo.handler', { layers: [layerA] }),
      start('echo.handler', { layers: [layerA, layerB] }),
    ])
    expect(second.opt).toBe(first.opt)
    expect(other.opt).not.toBe(first.opt)
    await first.shutdown()
    const { payload } = await second.invoke({})
    const { LAMBDA_TASK_ROOT, TMPDIR } = Object(payload).environment
    const folders = [second.opt, other.opt, LAMBDA_TASK_ROOT, TMPDIR]
    expect(folders.map((folder) => existsSync(folder))).toEqual([true, true, true, true])
    await Promise.all([second.shutdown(), other.shutdown()])
    expect(folders.map((folder) => existsSync(folder))).toEqual([false, false, false, false])
  })

  test.each(['code', 'layers'] as const)('%s that do not exist are named', async (member) => {
    const missing = join(scratch, 'not-built.zip')
    const changes = member === 'code' ? { code: missing } : { layers: [missing] }
    await expect(start('echo.handler', changes)).rejects.toThrow(`no zip file or folder at ${missing}`)
  })

  test('a zip entry that leads out of its folder is refused', async () => {
    const evil = join(scratch, 'evil.zip')
    await writeFile(evil, zipSync({ '../evil.txt': strToU8('x') }))
    await expect(start('echo.handler', { layers: [evil] })).rejects.toThrow('leads out of its folder')
  })
})

describe('errors of the function', () => {
  test.each([
    [{ fault: 'throw' }, { errorType: 'TypeError', errorMessage: 'thrown on purpose' }, 1],
    [{ fault: 'throwText' }, { errorType: 'string', errorMessage: 'just text', trace: [] }, 1],
    [{ fault: 'circular' }, { errorType: 'Error', errorMessage: 'Unable to stringify response body' }, 1],
    [{ fault: 'large' }, { errorType: 'Function.ResponseSizeTooLarge' }, 1],
    [
      { fault: 'exit', code: 3 },
      { errorType: 'Runtime.ExitError', errorMessage: /exited with error: exit status 3$/ },
      2,
    ],
    [
      { fault: 'exit', code: 0 },
      { errorType: 'Runtime.ExitError', errorMessage: /exited without providing a reason$/ },
      2,
    ],
    [{ fault: 'kill' }, { errorType: 'Runtime.ExitError', errorMessage: /exited with error: signal: killed$/ }, 2],
    [{ fault: 'reject' }, { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: /nobody caught this$/ }, 2],
  ])('%j is told, and the next invocation works', async (event, error, coldStarts) => {
    const environment = await start('faults.handler')
    const { errorMessage = /./, ...rest } = { errorMessage: undefined, ...error }
    const message = errorMessage instanceof RegExp ? expect.stringMatching(errorMessage) : errorMessage
    expect(await environment.invoke(event)).toMatchObject({
      ok: false,
      timedOut: false,
      error: { ...rest, errorMessage: message },
    })
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true, payload: 'fine' })
    expect(environment.coldStarts).toBe(coldStarts)
  })

  test('an error is logged with its own properties, which the invoker does not see', async () => {
    const environment = await start('faults.handler')
    const result = await environment.invoke({ fault: 'throw' })
    expect(environment.output).toContain('"detail":"only in the log"')
    expect(JSON.stringify(result)).not.toContain('only in the log')
    expect(result.error?.trace?.[0]).toBe('TypeError: thrown on purpose')
  })

  test('a time-out kills the process; the next invocation is a cold start', async () => {
    const environment = await start('faults.handler')
    const { pid = 0 } = environment
    const result = await environment.invoke({ fault: 'hang' }, { timeoutMs: 1_250 })
    expect(result).toMatchObject({
      ok: false,
      timedOut: true,
      error: {
        errorType: 'Sandbox.Timedout',
        errorMessage: expect.stringMatching(/^RequestId: [\da-f-]{36} Error: Task timed out after 1\.25 seconds$/),
      },
    })
    expect(result.ms).toBeGreaterThanOrEqual(1_240)
    expect(isAlive(pid)).toBe(false)
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
    expect(environment.coldStarts).toBe(2)
    expect(environment.pid).not.toBe(pid)
  })

  test('a process that dies between invocations fails the next one, and the one after is a cold start', async () => {
    const environment = await start('faults.handler')
    expect(await environment.invoke({ fault: 'dieLater', afterMs: 100 })).toMatchObject({ ok: true })
    await until('the process is gone', () => environment.pid === undefined)
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/exit status 129$/) },
    })
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
    expect(environment.output).toContain('died between invocations')
  })
})

describe('init errors', () => {
  test.each([
    ['no-such-file.handler', 'Runtime.ImportModuleError', /^Error: Cannot find module 'no-such-file'/],
    ['missing-require.handler', 'Runtime.ImportModuleError', /^Error: Cannot find module 'package-that-is-nowhere'/],
    ['missing-import.handler', 'Error', /^Cannot find package 'package-that-is-nowhere' imported from /],
    ['throws-at-import.handler', 'RangeError', /^thrown at import$/],
    ['broken.handler', 'Runtime.UserCodeSyntaxError', /^SyntaxError: /],
    ['echo.noSuchExport', 'Runtime.HandlerNotFound', /^echo.noSuchExport is undefined or not exported$/],
    ['echo.notAFunction', 'Runtime.HandlerNotFound', /^echo.notAFunction is not a function$/],
    ['echo', 'Runtime.MalformedHandlerName', /^Bad handler echo$/],
    ['../echo.handler', 'Runtime.MalformedHandlerName', /^'..\/echo.handler' is not a valid handler name/],
    ['echo.withCallback', 'Runtime.CallbackHandlerDeprecated', /removed support for callback-based function handlers/],
  ])('handler %s: %s', async (handler, errorType, errorMessage) => {
    const environment = await start(handler, handler === 'broken.handler' ? { code: brokenCode } : {})
    const result = await environment.invoke({})
    expect(result).toMatchObject({
      ok: false,
      timedOut: false,
      error: { errorType, errorMessage: expect.stringMatching(errorMessage), trace: expect.any(Array) },
    })
    // Once before, and once more within the invocation.
    expect(environment).toMatchObject({ coldStarts: 2, pid: undefined })
  })

  test('an init phase over its limit is run again inside the first invocation', async () => {
    const variables = { INIT_MS: '60000', FLAG_FILE: join(scratch, randomUUID()) }
    const environment = await start('slow-init.handler', { environment: variables }, { initTimeoutMs: 1_500 })
    expect(environment).toMatchObject({ coldStarts: 1, pid: undefined })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: 'at last' })
    expect(environment.coldStarts).toBe(2)
  })

  test('an init phase that outlives the time-out inside the invocation too is a time-out', async () => {
    const environment = await start('slow-init.handler', { environment: { INIT_MS: '60000' } }, { initTimeoutMs: 100 })
    expect(await environment.invoke({}, { timeoutMs: 300 })).toMatchObject({
      timedOut: true,
      error: { errorType: 'Sandbox.Timedout', errorMessage: expect.stringContaining('after 0.30 seconds') },
    })
  })
})

describe('Node 22 callback handlers', () => {
  const onNode22 = (handler: string) => start(handler, { runtime: 'nodejs22.x' }, { nodeBinary: node22Path() })
  test.each([
    ['answer', { wait: true }, { ok: true, payload: 'called back' }],
    ['answer', { wait: false }, { ok: true, payload: 'called back' }],
    ['fail', {}, { ok: false, error: { errorType: 'RangeError', errorMessage: 'called back with an error' } }],
    ['neverAnswer', {}, { ok: true, payload: null }],
  ])('%s with %j', async (name, event, expected) => {
    const environment = await onNode22(`callbacks.${name}`)
    expect(await environment.invoke(event)).toMatchObject(expected)
    expect(await environment.invoke(event)).toMatchObject(expected)
    expect(environment.coldStarts).toBe(1)
  })
})

describe.runIf(process.platform === 'linux')('freeze and thaw', () => {
  const state = async (pid = 0) => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0]

  test('freezeBetween stops the process after init and after each response', async () => {
    const environment = await start('echo.handler', {}, { freezeBetween: true })
    expect(await state(environment.pid)).toBe('T')
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { count: 1 } })
    expect(await state(environment.pid)).toBe('T')
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { count: 2 } })
    expect(environment.coldStarts).toBe(1)
  })

  test('an invocation thaws; timers that fell due meanwhile run first', async () => {
    const environment = await start('timers.handler')
    await environment.invoke({})
    await environment.freeze()
    await sleep(300)
    const frozenUntil = Date.now()
    const { payload } = await environment.invoke({})
    expect(payload).toHaveProperty(
      'ranAt',
      expect.toSatisfy((ranAt) => ranAt >= frozenUntil),
    )
  })

  test('a frozen process does nothing until thawed', async () => {
    const environment = await start('faults.handler')
    await environment.invoke({ fault: 'dieLater', afterMs: 150 })
    await environment.freeze()
    const { pid = 0 } = environment
    await sleep(300)
    expect(await state(pid)).toBe('T')
    environment.thaw()
    await until('the process is gone', () => environment.pid === undefined)
  })

  test('an error that falls due during a freeze fails the next invocation with Runtime.ExitError', async () => {
    const environment = await start('faults.handler', {}, { freezeBetween: true })
    await environment.invoke({ fault: 'dieLater', afterMs: 50 })
    await sleep(100)
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/exit status 129$/) },
    })
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
  })

  test('a process that dies leaves neither a frozen process nor a folder behind', async () => {
    const starter = spawn(process.execPath, [join(fixtures, 'dies.ts')], { stdio: ['ignore', 'pipe', 'inherit'] })
    const { pid, opt } = JSON.parse(await text(starter.stdout))
    // Where nobody collects orphans, what was killed stays as a zombie.
    await until('the runtime is gone', async () => (await state(pid).catch(() => 'Z')) === 'Z')
    await until('the folder is gone', () => !existsSync(opt))
  })

  test('a large event reaches a frozen process whole', async () => {
    const environment = await start('echo.handler', {}, { freezeBetween: true })
    const event = 'x'.repeat(5 * 1024 * 1024)
    const { payload } = await environment.invoke(event)
    expect(Object(payload).event === event).toBe(true)
  })
})

describe('shutdown', () => {
  test('without extensions the process is killed at once, without a signal it could handle', async () => {
    const environment = await start('echo.handler')
    const { pid = 0 } = environment
    expect(await environment.shutdown()).toMatchObject({ signalled: false, exitedBy: 'SIGKILL' })
    expect(isAlive(pid)).toBe(false)
    await expect(environment.invoke({})).rejects.toThrow('was shut down')
  })

  test('an internal extension gets SIGTERM, also when frozen', async () => {
    const environment = await start('graceful.handler', { environment: { CLEAN_UP_MS: '50' } }, { freezeBetween: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    const shutdown = await environment.shutdown()
    expect(shutdown).toMatchObject({ signalled: true, exitedBy: 'exit 0' })
    expect(environment.output).toContain('cleaned up')
  })

  test.each(['echo.handler', 'graceful.handler'])(
    'onKill is called while the process of %s is there',
    async (handler) => {
      const seen: boolean[] = []
      const onKill = () => seen.push(isAlive(environment.pid ?? 0))
      const environment = await start(handler, { environment: { CLEAN_UP_MS: '30000' } }, { onKill })
      await environment.shutdown()
      expect(seen).toEqual([true])
    },
  )

  test('what takes longer than 500 ms is killed', async () => {
    const environment = await start('graceful.handler', { environment: { CLEAN_UP_MS: '30000' } })
    const shutdown = await environment.shutdown()
    expect(shutdown).toMatchObject({ signalled: true, exitedBy: 'SIGKILL' })
    expect(shutdown.ms).toBeGreaterThanOrEqual(495)
    expect(environment.output).not.toContain('cleaned up')
  })
})

describe('Managed Instances', () => {
  const managed = (maxConcurrency: number, workerCount = 1) =>
    start('concurrent.handler', {}, { maxConcurrency, workerCount })
  const invokeAll = (environment: ExecutionEnvironment, count: number, together: number) =>
    Promise.all(Array.from({ length: count }, (_, number) => environment.invoke({ number, together })))

  test('invocations run side by side, each with its own answer', async () => {
    const environment = await managed(4)
    const results = await invokeAll(environment, 4, 4)
    expect(results.map(({ payload }) => payload)).toEqual(
      [0, 1, 2, 3].map((number) => ({
        number,
        threadId: 1,
        AWS_LAMBDA_MAX_CONCURRENCY: '4',
        AWS_LAMBDA_INITIALIZATION_TYPE: 'lambda-managed-instances',
      })),
    )
    expect(environment.coldStarts).toBe(1)
  })

  test('worker threads share the invocations, and have modules of their own', async () => {
    const environment = await managed(5, 2)
    const results = await invokeAll(environment, 5, 2)
    const threads = results.map(({ payload }) => Object(payload).threadId)
    expect([1, 2].map((id) => threads.filter((threadId) => threadId === id).length).sort()).toEqual([2, 3])
  })

  test('one invocation more than maxConcurrency is refused', async () => {
    const environment = await managed(2)
    const first = environment.invoke({ together: 2 })
    const second = environment.invoke({ together: 2 })
    await expect(environment.invoke({})).rejects.toThrow('handles 2 invocations')
    expect([await first, await second]).toMatchObject([{ ok: true }, { ok: true }])
  })

  test('one that times out does not end the others, nor the process', async () => {
    const environment = await managed(3)
    const slow = environment.invoke({ together: 3 }, { timeoutMs: 300 })
    expect(await slow).toMatchObject({ timedOut: true })
    expect(await invokeAll(environment, 2, 3)).toMatchObject([{ ok: true }, { ok: true }])
    expect(environment.coldStarts).toBe(1)
  })

  test('a worker that ends fails all that run, and the next invocation starts anew', async () => {
    const environment = await managed(4, 2)
    const running = [1, 2, 3].map(() => environment.invoke({ together: 9 }))
    expect(await environment.invoke({ fault: 'exit' })).toMatchObject({ error: { errorType: 'Runtime.ExitError' } })
    for (const result of await Promise.all(running)) {
      expect(result).toMatchObject({ error: { errorMessage: expect.stringMatching(/exit status 7$/) } })
    }
    expect(await invokeAll(environment, 2, 1)).toMatchObject([{ ok: true }, { ok: true }])
    expect(environment.coldStarts).toBe(2)
  })

  test('they are never frozen', async () => {
    await expect(start('echo.handler', {}, { maxConcurrency: 2, freezeBetween: true })).rejects.toThrow('never frozen')
    await expect((await managed(2)).freeze()).rejects.toThrow('never frozen')
  })
})

describe('extensions', () => {
  test('an internal one may not ask for SHUTDOWN, and none may register after the first next', async () => {
    const environment = await start('graceful.handler', { environment: { CLEAN_UP_MS: '0' } })
    expect(await environment.invoke({})).toMatchObject({
      payload: {
        refusedStatus: 403,
        refused: { errorType: 'Extension.InvalidEventType' },
        late: { errorType: 'Extension.RegistrationClosed' },
      },
    })
  })

  test('an internal one that never calls event/next hangs the init phase', async () => {
    const environment = await start(
      'graceful.handler',
      { environment: { CLEAN_UP_MS: '0', SKIP_NEXT: '1' } },
      { initTimeoutMs: 1_000 },
    )
    expect(environment.pid).toBeUndefined()
    expect(await environment.invoke({}, { timeoutMs: 1_000 })).toMatchObject({ timedOut: true })
  })

  test('an external one gets INVOKE and SHUTDOWN', async () => {
    const layers = [join(fixtures, 'extension-layer')]
    const environment = await start('echo.handler', { layers }, { freezeBetween: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    expect(await environment.shutdown()).toMatchObject({ signalled: true, exitedBy: 'SIGTERM' })
    expect(environment.output.match(/recorder: \w+ ?\w*/g)).toEqual([
      'recorder: INVOKE ',
      'recorder: INVOKE ',
      'recorder: SHUTDOWN spindown',
    ])
  })

  test('an external one that ends during init is an error', async () => {
    const layers = [join(fixtures, 'extension-layer')]
    const environment = await start('echo.handler', { layers, environment: { RECORDER_FAULT: 'exit' } })
    expect(await environment.invoke({})).toMatchObject({
      ok: false,
      error: { errorType: 'Extension.Crash', errorMessage: expect.stringContaining('exit status 3') },
    })
  })
})

test('many environments run at once', async () => {
  const count = 12
  const environments = await Promise.all(
    Array.from({ length: count }, () => start('module.handler', { layers: [layerA] }, { freezeBetween: true })),
  )
  const results = await Promise.all(environments.map((environment) => environment.invoke({})))
  expect(results.map(({ payload }) => payload)).toEqual(Array(count).fill('hello from layer a, imported'))
  expect(new Set(environments.map(({ opt }) => opt)).size).toBe(1)
  expect(new Set(environments.map(({ pid }) => pid)).size).toBe(count)
  await Promise.all(environments.map((environment) => environment.shutdown()))
})
