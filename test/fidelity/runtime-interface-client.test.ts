/** The sample stack's function and layer under AWS's own runtime interface client, with its native client. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { FunctionDefinition, LambdaRuntime } from '../../local/lambda/function-definition.ts'
import { runSample } from '../../local/sample/run.ts'
import { type SampleStack, startSampleStack } from '../../local/sample/stack.ts'
import { Scratch } from '../support/lambda.ts'
import { LATE_SECRET_MS, rehearsesInInit } from '../support/rehearsal.ts'
import { LAMBDA_VARIABLES } from './support/lambda-variables.ts'
import { fixtureFunction, startUnderClient } from './support/sample-functions.ts'

const GRACEFUL = { environment: { COCKROACH_GRACEFUL_SHUTDOWN: 'true' } }
const MODULES = [
  ['ES module', {}],
  ['CommonJS', fixtureFunction('commonjs')],
] as const
const RUNTIMES: readonly LambdaRuntime[] = ['nodejs24.x', 'nodejs22.x']
const ROWS = RUNTIMES.flatMap((runtime) =>
  MODULES.map(([kind, code]) => ({ runtime, kind, code: { ...code, runtime } })),
)

let stack: SampleStack

beforeAll(async () => {
  stack = await startSampleStack()
})
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]()
})

describe.each(ROWS)('$runtime, $kind', ({ code }) => {
  test('cold, warm and thawed invocations share one verified session', async () => {
    await using environment = await startUnderClient(stack, code)
    const report = await runSample(stack, environment)
    expect(report.invocations.flatMap(({ error }) => error ?? [])).toEqual([])
    expect(report.invocations.map(({ kind }) => kind)).toEqual(['cold', 'warm', 'warm', 'warm', 'thawed'])
    expect(report).toMatchObject({ ok: true, connection: { sslrootcert: '/opt/certs/root.crt' } })
    expect(environment.coldStarts).toBe(1)
  })

  test('a session that ended while frozen is replaced, and the call succeeds', async () => {
    await using environment = await startUnderClient(stack, code)
    const { payload: before } = await environment.invoke({})
    await environment.freeze()
    await Promise.all(stack.cloud.connections.map((connection) => connection.end()))
    const { payload: after } = await environment.invoke({})
    expect([before, after]).toMatchObject([{ ok: true }, { ok: true, connection: { reused: false } }])
    expect(environment.coldStarts).toBe(1)
  })

  test('a function that registered gets SIGTERM, and its sessions end before SIGKILL', async () => {
    const onKill = () => stack.cloud.blackHoleAll()
    const environment = await startUnderClient(stack, code, { ...GRACEFUL, onKill })
    expect(await environment.invoke({})).toMatchObject({ payload: { ok: true } })
    await environment.freeze()
    expect(await environment.shutdown()).toMatchObject({ signalled: true })
    await vi.waitUntil(async () => (await stack.postgres.sessions({ user: 'app' })).length === 0, { timeout: 20_000 })
    expect(environment.output).not.toContain('graceful-shutdown')
  })

  test('a function that did not register gets no SIGTERM', async () => {
    const environment = await startUnderClient(stack, code)
    await environment.invoke({})
    expect(await environment.shutdown()).toMatchObject({ signalled: false, exitedBy: 'SIGKILL' })
  })
})

describe.each(RUNTIMES)('%s', (runtime) => {
  test('Node loads neither perf_hooks nor Web Crypto for a connection and a statement', async () => {
    await using environment = await startUnderClient(stack, { ...fixtureFunction('loaded-modules'), runtime })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: [] })
  })

  test('a small function that does not wait in init has rehearsed its login when init ends', async () => {
    await using scratch = await Scratch.make()
    await using ends = new AsyncDisposableStack()
    stack.secretsManager.delayMs = LATE_SECRET_MS
    ends.defer(() => {
      stack.secretsManager.delayMs = 0
    })
    const start = async ({ environment, ...changes }: Partial<FunctionDefinition>) => {
      const variables = { ...stack.definition.environment, ...environment }
      return ends.use(await startUnderClient(stack, { ...changes, environment: variables, runtime }))
    }
    expect(await rehearsesInInit(scratch.path, start, 256)).toBe(true)
  })

  test('a wrong option while the module loads is an init error that names the option', async () => {
    await using environment = await startUnderClient(stack, { ...fixtureFunction('wrong-options'), runtime })
    const { error } = await environment.invoke({})
    expect(error).toMatchObject({ errorType: 'ConnectionError' })
    expect(error?.errorMessage).toMatch(/sslmod\b.*sslmode/s)
    expect(JSON.stringify(error) + environment.output).not.toContain('correct horse')
  })

  test('a wrong variable is reported in the answer, not as an init error', async () => {
    const changes = { environment: { ...stack.definition.environment, COCKROACH_SECRET_IDD: 'x' }, runtime }
    await using environment = await startUnderClient(stack, changes)
    expect(await environment.invoke({})).toMatchObject({ payload: { ok: false, error: { code: 'ERR_CONFIG' } } })
    expect(environment.coldStarts).toBe(1)
  })

  test('process.env contains what Lambda sets and the stack adds', async () => {
    await using environment = await startUnderClient(stack, { ...fixtureFunction('environment'), runtime })
    const { payload } = await environment.invoke({})
    const found = Object.keys(Object(payload))
    const expected = [...LAMBDA_VARIABLES, ...Object.keys(stack.definition.environment)]
    expect(expected.filter((name) => !found.includes(name))).toEqual([])
    expect(payload).toMatchObject({
      ...stack.definition.environment,
      AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      TZ: ':UTC',
    })
  })
})
