import { describe, expect, test } from 'vitest'
import { isAlive, startFunction } from '../../support/lambda.ts'

describe('shutdown', () => {
  test('without extensions ends the process at once, by SIGKILL', async () => {
    const environment = await startFunction('echo.handler')
    const { pid } = environment
    expect(await environment.shutdown()).toMatchObject({ signalled: false, exitedBy: 'SIGKILL' })
    expect(isAlive(pid)).toBe(false)
    await expect(environment.invoke({})).rejects.toThrow('was shut down')
  })

  test('sends SIGTERM to a process with an internal extension, also when it is frozen', async () => {
    const variables = { CLEAN_UP_MS: '50' }
    const environment = await startFunction('graceful.handler', { environment: variables }, { freezeBetween: true })
    expect(await environment.invoke({})).toMatchObject({ ok: true })
    const shutdown = await environment.shutdown()
    expect(shutdown).toMatchObject({ signalled: true, exitedBy: 'exit 0' })
    expect(environment.output).toContain('cleaned up')
  })

  test.each(['echo.handler', 'graceful.handler'])(
    'calls onKill before the process of %s has ended',
    async (handler) => {
      const seen: boolean[] = []
      const onKill = () => seen.push(isAlive(environment.pid))
      const environment = await startFunction(handler, { environment: { CLEAN_UP_MS: '30000' } }, { onKill })
      await environment.shutdown()
      expect(seen).toEqual([true])
    },
  )

  test('ends by SIGKILL a process that needs more than 500 ms', async () => {
    const environment = await startFunction('graceful.handler', { environment: { CLEAN_UP_MS: '30000' } })
    const shutdown = await environment.shutdown()
    expect(shutdown).toMatchObject({ signalled: true, exitedBy: 'SIGKILL' })
    expect(shutdown.ms).toBeGreaterThanOrEqual(495)
    expect(environment.output).not.toContain('cleaned up')
  })
})
