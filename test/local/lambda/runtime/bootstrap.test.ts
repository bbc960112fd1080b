import { describe, expect, test } from 'vitest'
import { nodePath } from '../../../../local/node-versions.ts'
import { startFunction } from '../../../support/lambda.ts'

describe('a function that fails', () => {
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
  ])('by %j is reported, and the next invocation works', async (event, error, coldStarts) => {
    const environment = await startFunction('faults.handler')
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

  test('has its error logged with properties that the invoker does not see', async () => {
    const environment = await startFunction('faults.handler')
    const result = await environment.invoke({ fault: 'throw' })
    expect(environment.output).toContain('"detail":"only in the log"')
    expect(JSON.stringify(result)).not.toContain('only in the log')
    expect(result.error?.trace?.[0]).toBe('TypeError: thrown on purpose')
  })
})

describe('a callback handler on nodejs22.x', () => {
  test.each([
    ['answer', { wait: true }, { ok: true, payload: 'called back' }],
    ['answer', { wait: false }, { ok: true, payload: 'called back' }],
    ['fail', {}, { ok: false, error: { errorType: 'RangeError', errorMessage: 'called back with an error' } }],
    ['neverAnswer', {}, { ok: true, payload: null }],
  ])('%s with %j gives %j, twice in one process', async (name, event, expected) => {
    const options = { nodeBinary: nodePath(22) }
    const environment = await startFunction(`callbacks.${name}`, { runtime: 'nodejs22.x' }, options)
    expect(await environment.invoke(event)).toMatchObject(expected)
    expect(await environment.invoke(event)).toMatchObject(expected)
    expect(environment.coldStarts).toBe(1)
  })
})
