import { describe, expect, test } from 'vitest'
import { callerOf } from '../../../src/pool/lease.ts'
import { neverReleased, waitedInVain } from '../../../src/pool/lease-error.ts'
import { inInvocation } from '../../support/invocation.ts'

/** Stands where an exported function stands: the place is its caller's. */
function takenHere(isBusy = false): { callSite: Error | undefined; client: { isBusy: boolean } } {
  return { callSite: callerOf(takenHere, 'takenHere()'), client: { isBusy } }
}

/** A wait during which nothing moved. */
const waited = (waitedMs: number, isMoving = false) => ({ waitedMs, isMoving })

const without = (isBusy = false) => ({ callSite: undefined, client: { isBusy } })

/** `file:line:column` of the caller, as a stack has it. */
const IN_THIS_FILE = /lease-error\.test\.ts:\d+:\d+\)?$/

describe('a client that was never released', () => {
  test('is an error that names the place where it was taken', () => {
    const error = neverReleased(takenHere())
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^an earlier invocation took a client and never released it; it was taken at /),
      safeToRetry: true,
    })
    expect(error.message).toMatch(IN_THIS_FILE)
  })

  test('is an error without a known place too', () => {
    expect(neverReleased(without()).message).toMatch(/it was taken at an unknown place$/)
  })
})

describe('who waited in vain', () => {
  test('for a client in use is told where it was taken: ERR_CLIENT_NOT_RELEASED', () => {
    const error = waitedInVain([takenHere()], 1, waited(1000))
    expect(error).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: expect.stringMatching(/^waited 1000 ms for a client; all 1 are in use, one since /),
      safeToRetry: true,
    })
    expect(error.message).toMatch(IN_THIS_FILE)
  })

  test('for one of several is told of the one that is not busy', () => {
    expect(waitedInVain([without(true), takenHere()], 2, waited(1000)).message).toMatch(IN_THIS_FILE)
  })

  test('for connections that are being opened is told so: ERR_CONNECT', () => {
    expect(waitedInVain([], 1, waited(250))).toMatchObject({
      code: 'ERR_CONNECT',
      message: 'waited 250 ms for a connection that is still being opened',
      safeToRetry: true,
    })
  })

  test.each([
    { until: 'the deadline', remainingMs: 0, code: 'ERR_DEADLINE' },
    { until: 'some time before the deadline', remainingMs: 60_000, code: 'ERR_CLIENT_NOT_RELEASED' },
  ])('for statements that run until $until is told $code', async ({ remainingMs, code }) => {
    const error = await inInvocation(remainingMs, async () => waitedInVain([without(true)], 1, waited(1000)))
    expect(error).toMatchObject({ code, safeToRetry: true })
  })

  test('for a client that nobody uses until the deadline is told ERR_CLIENT_NOT_RELEASED', async () => {
    const error = await inInvocation(0, async () => waitedInVain([without(true), without()], 2, waited(1000)))
    expect(error).toMatchObject({ code: 'ERR_CLIENT_NOT_RELEASED' })
  })

  test('for clients that are used again and again until the deadline is told ERR_DEADLINE', async () => {
    const error = await inInvocation(0, async () => waitedInVain([without()], 1, waited(1000, true)))
    expect(error).toMatchObject({ code: 'ERR_DEADLINE', safeToRetry: true })
  })

  test('for a statement outside an invocation is told that all are busy', () => {
    expect(waitedInVain([without(true)], 1, waited(5000))).toMatchObject({
      code: 'ERR_CLIENT_NOT_RELEASED',
      message: 'waited 5000 ms for a client; all 1 are busy with statements',
      hint: 'Make them faster, or raise max.',
    })
  })
})
