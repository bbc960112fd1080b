/**
 * The sample stack's function and layer under AWS's runtime interface emulator and client, both as AWS made them.
 * The emulator freezes nothing by itself: it is stopped from outside, as a container is paused. What else it does not do,
 * runtime-interface-client.test.ts shows: /opt, and the variables in NOT_SET.
 */
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FunctionDefinition, LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { type UnpackedFolder, unpack } from '../../local/lambda/unpacked-folder.ts'
import { type SampleStack, startSampleStack } from '../../local/sample/stack.ts'
import { type Emulator, startEmulator } from './support/emulator.ts'
import { LAMBDA_VARIABLES } from './support/lambda-variables.ts'
import { fixtureFunction, LOOPBACK_NAMES, NODE_BINARIES, runtimeInterfaceClient } from './support/sample-functions.ts'

const NODE_PATH_PRELOAD = join(import.meta.dirname, '../../local/lambda/runtime/node-path.mjs')
const RUNTIMES: readonly LambdaRuntime[] = ['nodejs24.x', 'nodejs22.x']

/** Lambda sets them; the emulator leaves them to the container's image, or out. */
const NOT_SET = [
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'LAMBDA_RUNTIME_DIR',
  'LANG',
  'LD_LIBRARY_PATH',
  'TZ',
]

let stack: SampleStack
const emulators: Emulator[] = []
const folders: UnpackedFolder[] = []

beforeAll(async () => {
  stack = await startSampleStack()
})
afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator[Symbol.asyncDispose]()))
})
afterAll(async () => {
  await Promise.all(folders.map((folder) => folder.release()))
  await stack?.[Symbol.asyncDispose]()
})

/** Outside this repository, where the library's name would resolve to its sources. */
async function unpacked(sources: readonly string[]): Promise<string> {
  const folder = await unpack(sources)
  folders.push(folder)
  return folder.path
}

/** The emulator sets Lambda's variables itself, as far as it does; what a container's image would set is given here. */
async function start(
  changes: Partial<FunctionDefinition> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Emulator> {
  const { code, handler, runtime, layers, environment: variables } = { ...stack.definition, ...changes }
  const [task, opt] = [await unpacked([code]), await unpacked(layers)]
  const emulator = await startEmulator({
    command: [
      NODE_BINARIES[runtime],
      `--import=${NODE_PATH_PRELOAD}`,
      LOOPBACK_NAMES,
      runtimeInterfaceClient(),
      handler,
    ],
    task,
    environment: {
      ...variables,
      PATH: process.env.PATH,
      NODE_PATH: join(opt, 'nodejs/node_modules'),
      AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
      AWS_LAMBDA_FUNCTION_TIMEOUT: '20',
      AWS_REGION: 'ap-southeast-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'not-a-real-key',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: stack.secretsManager.url,
      ...environment,
    },
  })
  emulators.push(emulator)
  return emulator
}

/** True when the function sent Terminate to the server, which a killed process does not. */
async function saysGoodbye(emulator: Emulator): Promise<boolean> {
  let isSaid = false
  stack.cloud.onClientMessage = (_connection, type) => {
    isSaid ||= type === 'X'
    return 'forward'
  }
  await emulator.shutdown()
  await vi.waitUntil(async () => (await stack.postgres.sessions({ user: 'app' })).length === 0, { timeout: 20_000 })
  stack.cloud.onClientMessage = undefined
  return isSaid
}

describe.each(RUNTIMES)('%s', (runtime) => {
  test.each([
    ['the ES module of the stack', {}],
    ['a CommonJS module', fixtureFunction('commonjs')],
  ])('%s answers cold and warm on one verified session', async (_kind, code) => {
    const emulator = await start({ ...code, runtime })
    const [cold, warm] = [await emulator.invoke({}), await emulator.invoke({})]
    expect([cold, warm]).toMatchObject([
      { ok: true, tls: { authorized: true }, rootCertificate: { origin: 'layer' }, connection: { reused: false } },
      { ok: true, connection: { reused: true } },
    ])
    expect(Object(warm).connection.backendPid).toBe(Object(cold).connection.backendPid)
  })

  test.each([
    ['the ES module of the stack', {}],
    ['a CommonJS module', fixtureFunction('commonjs')],
  ])('%s registers as an extension and closes its session on SIGTERM', async (_kind, code) => {
    const emulator = await start({ ...code, runtime }, { COCKROACH_GRACEFUL_SHUTDOWN: 'true' })
    expect(await emulator.invoke({})).toMatchObject({ ok: true })
    expect(emulator.output()).toMatch(/cockroach-lambda/)
    expect(emulator.output()).not.toContain('graceful-shutdown')
    expect(await saysGoodbye(emulator)).toBe(true)
  })

  test.each([
    ['the ES module of the stack', {}],
    ['a CommonJS module', fixtureFunction('commonjs')],
  ])('%s goes on with its session after a freeze, and replaces one that ended meanwhile', async (_kind, code) => {
    const emulator = await start({ ...code, runtime })
    const cold = await emulator.invoke({})
    emulator.freeze()
    const answer = emulator.invoke({})
    const isEarly = await Promise.race([answer.then(() => true), setTimeout(300, false)])
    emulator.thaw()
    const thawed = await answer
    emulator.freeze()
    await Promise.all(stack.cloud.connections.map((connection) => connection.end()))
    emulator.thaw()
    expect([isEarly, cold, thawed, await emulator.invoke({})]).toMatchObject([
      false,
      { ok: true, connection: { reused: false } },
      { ok: true, connection: { reused: true } },
      { ok: true, connection: { reused: false } },
    ])
  })

  test('without registration, the session stays at the server', async () => {
    const emulator = await start({ runtime })
    expect(await emulator.invoke({})).toMatchObject({ ok: true })
    expect(await saysGoodbye(emulator)).toBe(false)
  })

  test('a wrong option while the module loads is an init error that names the option', async () => {
    const emulator = await start({ ...fixtureFunction('wrong-options'), runtime })
    const error = await emulator.invoke({})
    expect(error).toMatchObject({
      errorType: 'ConnectionError',
      errorMessage: expect.stringMatching(/sslmod\b.*sslmode/s),
    })
    expect(emulator.output()).not.toContain('correct horse')
  })
  test('process.env contains what the stack adds and Lambda sets, except for what the emulator leaves out', async () => {
    const emulator = await start({ ...fixtureFunction('environment'), runtime })
    const payload = await emulator.invoke({})
    expect(payload).toMatchObject(stack.definition.environment)
    expect(LAMBDA_VARIABLES.filter((name) => !(name in Object(payload)))).toEqual(NOT_SET)
  })
})
