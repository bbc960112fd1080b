/** Processes that are stopped between invocations, as on Lambda: Linux only, since their state is read from /proc. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { processState, startFunction } from '../../support/lambda.ts'

/**
 * Freezes a process that waits for its next event: when it continues, timers that are due run first. A process that is
 * stopped before it waits reads the next invocation first.
 */
async function freezeAsleep(environment: ExecutionEnvironment): Promise<void> {
  await expect.poll(() => processState(environment.pid), { timeout: 20_000 }).toBe('S')
  await environment.freeze()
}

describe.runIf(process.platform === 'linux')('a frozen process', () => {
  test('is stopped after init and after each response, with freezeBetween', async () => {
    const environment = await startFunction('echo.handler', {}, { freezeBetween: true })
    expect(await processState(environment.pid)).toBe('T')
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { count: 1 } })
    expect(await processState(environment.pid)).toBe('T')
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: { count: 2 } })
    expect(environment.coldStarts).toBe(1)
  })

  test('runs timers that became due before the invocation that thaws it', async () => {
    const environment = await startFunction('timers.handler')
    await environment.invoke({})
    await freezeAsleep(environment)
    await sleep(300)
    const frozenUntil = Date.now()
    const { payload } = await environment.invoke({})
    expect(payload).toHaveProperty(
      'ranAt',
      expect.toSatisfy((ranAt) => ranAt >= frozenUntil),
    )
  })

  test('runs nothing until it is thawed, not even a timer that throws', async () => {
    const environment = await startFunction('faults.handler')
    await environment.invoke({ fault: 'dieLater', afterMs: 150 })
    await environment.freeze()
    const { pid } = environment
    await sleep(300)
    expect(await processState(pid)).toBe('T')
    environment.thaw()
    await expect.poll(() => environment.pid, { timeout: 20_000 }).toBeUndefined()
  })

  test('fails the next invocation with Runtime.ExitError, by a timer that throws', async () => {
    const environment = await startFunction('faults.handler')
    await environment.invoke({ fault: 'dieLater', afterMs: 200 })
    await freezeAsleep(environment)
    await sleep(300)
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({
      error: { errorType: 'Runtime.ExitError', errorMessage: expect.stringMatching(/exit status 129$/) },
    })
    expect(await environment.invoke({ fault: 'nothing' })).toMatchObject({ ok: true })
  })

  test('gets the whole of an event of 5 MB', async () => {
    const environment = await startFunction('echo.handler', {}, { freezeBetween: true })
    const event = 'x'.repeat(5 * 1024 * 1024)
    const { payload } = await environment.invoke(event)
    expect(Object(payload).event === event).toBe(true)
  })
})
