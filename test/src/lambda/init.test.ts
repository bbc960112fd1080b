import { expect, test } from 'vitest'
import { readyAfter, waitFor, waitInInitMs } from '../../../src/lambda/init.ts'
import { readSettings } from '../../../src/settings/settings.ts'
import { inInvocation } from '../../support/invocation.ts'
import { WITH_SECRET } from '../../support/settings.ts'

const { platform } = readSettings({}, WITH_SECRET)
const never = new Promise<void>(() => undefined)
const nothing = () => Promise.resolve()

test.each([
  ['a process that has just started', 3000, 80, 3000],
  ['a process with less than that left of init', 3000, 7200, 1800],
  ['a process at the end of init', 3000, 9000, 0],
  ['a process beyond that, but not beyond init', 3000, 9900, 0],
  ['a process that is older than init can be', 3000, 10_000, 3000],
  ['a wait of nothing', 0, 80, 0],
])('%s: a wait of %d ms after %d ms lasts %d ms', (_, limitMs, uptimeMs, expected) => {
  expect(waitInInitMs(limitMs, uptimeMs)).toBe(expected)
})

test.each([
  ['resolves', nothing],
  ['rejects', () => Promise.reject(new Error('no connection'))],
])('a wait for work that %s ends with it, without an error', async (_, work) => {
  await expect(waitFor(work(), 60_000, platform)).resolves.toBeUndefined()
})

test('a wait in an invocation ends at its deadline', async () => {
  // A quarter of a second is kept free.
  const waited = inInvocation(1000, () => waitFor(never, 60_000, platform))
  await expect(waited).resolves.toBeUndefined()
})

test('a module with ready as its then becomes its other exports, once the connection is there', async () => {
  const steps: string[] = []
  const ready = readyAfter(async () => {
    steps.push('connected')
  })
  const handler = () => undefined
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  const loaded: unknown = await { then: ready, handler, default: handler }
  steps.push('loaded')
  expect({ loaded, steps }).toEqual({ loaded: { handler, default: handler }, steps: ['connected', 'loaded'] })
})

test.each([
  ['without arguments', []],
  ['after a promise, with its value', ['value']],
])('ready() called %s resolves to nothing', async (_, passed) => {
  await expect(Reflect.apply(readyAfter(nothing), undefined, passed)).resolves.toBeUndefined()
})
