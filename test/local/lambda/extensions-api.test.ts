import { describe, expect, test } from 'vitest'
import { EXTENSION_LAYER, startFunction } from '../../support/lambda.ts'

describe('an internal extension', () => {
  test('is refused SHUTDOWN, and registration after the first invocation/next', async () => {
    const environment = await startFunction('graceful.handler', { environment: { CLEAN_UP_MS: '0' } })
    expect(await environment.invoke({})).toMatchObject({
      payload: {
        refusedStatus: 403,
        refused: { errorType: 'Extension.InvalidEventType' },
        late: { errorType: 'Extension.RegistrationClosed' },
      },
    })
  })

  test('that never calls event/next keeps the init phase from ending', async () => {
    const environment = await startFunction(
      'graceful.handler',
      { environment: { CLEAN_UP_MS: '0', SKIP_NEXT: '1' } },
      { initTimeoutMs: 1_000 },
    )
    expect(environment.pid).toBeUndefined()
    expect(await environment.invoke({}, { timeoutMs: 1_000 })).toMatchObject({ timedOut: true })
  })
})

describe('an external extension', () => {
  test('gets an INVOKE for each invocation, and SHUTDOWN', async () => {
    const environment = await startFunction('echo.handler', { layers: [EXTENSION_LAYER] }, { freezeBetween: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    expect(await environment.shutdown()).toMatchObject({ signalled: true, exitedBy: 'SIGTERM' })
    expect(environment.output.match(/recorder: \w+ ?\w*/g)).toEqual([
      'recorder: INVOKE ',
      'recorder: INVOKE ',
      'recorder: SHUTDOWN spindown',
    ])
  })

  test('that ends during init with status 3 fails the invocation with Extension.Crash', async () => {
    const variables = { RECORDER_FAULT: 'exit' }
    const environment = await startFunction('echo.handler', { layers: [EXTENSION_LAYER], environment: variables })
    expect(await environment.invoke({})).toMatchObject({
      ok: false,
      error: { errorType: 'Extension.Crash', errorMessage: expect.stringContaining('exit status 3') },
    })
  })
})
