import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { Diagnostics } from '../../../src/base/diagnostics.ts'

let write: MockInstance<typeof process.stderr.write>
const told: unknown[] = []
const listen = (message: unknown): void => void told.push(message)

beforeEach(() => {
  told.length = 0
  write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})

afterEach(() => {
  write.mockRestore()
  unsubscribe('cockroach-lambda:warning', listen)
  unsubscribe('cockroach-lambda:retry', listen)
})

test('a warning is one JSON line on stderr, in the fields of Lambda’s JSON log format', () => {
  new Diagnostics().warn('settings', 'two\nlines')
  const text = write.mock.calls.map(([chunk]) => String(chunk)).join('')
  expect(text.split('\n')).toHaveLength(2)
  expect(text.endsWith('\n')).toBe(true)
  expect(JSON.parse(text)).toEqual({
    level: 'WARN',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    message: 'two\nlines',
    service: 'cockroach-lambda',
    kind: 'settings',
  })
})

test('each distinct warning is written once, and published every time', () => {
  subscribe('cockroach-lambda:warning', listen)
  const diagnostics = new Diagnostics()
  diagnostics.warn('settings', 'a')
  diagnostics.warn('settings', 'a')
  diagnostics.warn('settings', 'b')
  diagnostics.warn('other', 'a')
  expect(write).toHaveBeenCalledTimes(3)
  expect(told).toEqual([
    { kind: 'settings', message: 'a' },
    { kind: 'settings', message: 'a' },
    { kind: 'settings', message: 'b' },
    { kind: 'other', message: 'a' },
  ])
})

test('two databases each tell their warnings', () => {
  new Diagnostics().warn('settings', 'a')
  new Diagnostics().warn('settings', 'a')
  expect(write).toHaveBeenCalledTimes(2)
})

test('publish reaches the channel of that name, and writes nothing', () => {
  subscribe('cockroach-lambda:retry', listen)
  const message = { code: '40001', attempt: 1, retryInMs: 5 }
  new Diagnostics().publish('retry', message)
  new Diagnostics().publish('discard', { reason: 'old', ageMs: 1, idleForMs: 1, backendPid: 1 })
  expect(told).toEqual([message])
  expect(write).not.toHaveBeenCalled()
})
