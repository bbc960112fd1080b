import { afterAll, beforeAll, expect, test } from 'vitest'
import { nodePath } from '../../../../local/node-versions.ts'
import { Scratch, startFunction } from '../../../support/lambda.ts'

let scratch: Scratch
/** Not among the fixtures, where linters would refuse it. */
let brokenCode: string

beforeAll(async () => {
  scratch = await Scratch.make()
  brokenCode = await scratch.folder('broken', { 'broken.cjs': 'exports.handler = async ( => {}' })
})
afterAll(() => scratch[Symbol.asyncDispose]())

test.each([
  ['echo.nothing', null],
  ['echo.nested.inside.handler', 'nested'],
])('handler %s is found, and answers %j', async (handler, payload) => {
  expect(await (await startFunction(handler)).invoke({})).toMatchObject({ ok: true, payload })
})

test.each([
  ['no-such-file.handler', 'Runtime.ImportModuleError', /^Error: Cannot find module 'no-such-file'/],
  ['missing-require.handler', 'Runtime.ImportModuleError', /^Error: Cannot find module 'package-that-is-nowhere'/],
  ['missing-import.handler', 'Error', /^Cannot find package 'package-that-is-nowhere' imported from /],
  ['throws-at-import.handler', 'RangeError', /^thrown at import$/],
  ['broken.handler', 'Runtime.UserCodeSyntaxError', /^SyntaxError: /],
  ['echo.noSuchExport', 'Runtime.HandlerNotFound', /^echo.noSuchExport is undefined or not exported$/],
  ['echo.notAFunction', 'Runtime.HandlerNotFound', /^echo.notAFunction is not a function$/],
  ['echo', 'Runtime.MalformedHandlerName', /^Bad handler echo$/],
  ['../echo.handler', 'Runtime.MalformedHandlerName', /^'..\/echo.handler' is not a valid handler name/],
  ['echo.withCallback', 'Runtime.CallbackHandlerDeprecated', /removed support for callback-based function handlers/],
])('handler %s fails the init phase and the invocation with %s', async (handler, errorType, errorMessage) => {
  const environment = await startFunction(handler, handler === 'broken.handler' ? { code: brokenCode } : {})
  const result = await environment.invoke({})
  expect(result).toMatchObject({
    ok: false,
    timedOut: false,
    error: { errorType, errorMessage: expect.stringMatching(errorMessage), trace: expect.any(Array) },
  })
  // Once before, and once more within the invocation.
  expect(environment).toMatchObject({ coldStarts: 2, pid: undefined })
})

test('a missing export is logged with those that the module has', async () => {
  const { output } = await startFunction('echo.noSuchExport')
  expect(output).toMatch(/^echo exports .*\bnotAFunction\b.*\n/)
})

test.each([
  ['nodejs22.x', nodePath(22)],
  ['nodejs24.x', process.execPath],
] as const)('a CommonJS module that exports then is waited for during init, on %s', async (runtime, nodeBinary) => {
  const changes = { environment: { INIT_MS: '500' }, runtime }
  const environment = await startFunction('thenable.handler', changes, { nodeBinary })
  expect(environment.initMs).toBeGreaterThan(500)
  expect(await environment.invoke({})).toMatchObject({ ok: true, payload: 'at last' })
})
