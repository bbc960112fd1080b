import { expect, test } from 'vitest'
import type { OwnInvocation } from '../../../local/own-function/own-function.ts'
import { ownReportText } from '../../../local/own-function/text.ts'

const LAYER = { path: 'dist/layer.zip', bytes: 109_000, sha256: 'a'.repeat(64) }
const COLD: OwnInvocation = { kind: 'cold', ok: true, ms: 12.3, logins: 1, log: 'one\ntwo\n', result: [1] }
const WARM: OwnInvocation = { ...COLD, kind: 'warm', logins: 0, log: '' }

function report(...invocations: readonly OwnInvocation[]): readonly string[] {
  const ok = invocations.every((each) => each.ok)
  return ownReportText({ ok, layer: LAYER, invocations }).split('\n').slice(3)
}

test('what was logged and answered is indented', () => {
  expect(report(COLD).slice(0, 7)).toEqual(['Logged, cold', '  one', '  two', 'Answered, cold', '  [', '    1', '  ]'])
})

test('an answer that is the same as the one before stands once', () => {
  const lines = report(COLD, WARM, { ...WARM, kind: 'thawed', result: 2 })
  expect(lines.filter((line) => line.startsWith('Answered'))).toEqual(['Answered, cold', 'Answered, thawed'])
})

test('an undefined answer is null, as Lambda makes of it', () => {
  expect(report({ ...COLD, log: '', result: null }).slice(0, 2)).toEqual(['Answered, cold', '  null'])
})

test('an error has its type, and the report ends with the failure', () => {
  const { result: _, ...rest } = COLD
  const lines = report({ ...rest, ok: false, error: { errorType: 'RangeError', errorMessage: 'too far' } })
  expect(lines).toEqual(expect.arrayContaining(['Error, cold', '  RangeError: too far']))
  expect(lines.at(-1)).toBe('Failed: your function did not answer.')
})
