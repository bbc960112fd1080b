import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { OwnFunction, type OwnServices } from '../../../local/own-function/own-function.ts'
import { openCloud, type TestCloud } from '../../support/database.ts'
import { Scratch } from '../../support/lambda.ts'

let cloud: TestCloud
let scratch: Scratch

beforeAll(async () => {
  cloud = await openCloud()
  scratch = await Scratch.make()
})
afterAll(async () => {
  await scratch?.[Symbol.asyncDispose]()
  await cloud?.[Symbol.asyncDispose]()
})

/** Starts a function that consists of one file, on layers that are empty; it ends with its test. */
async function start(name: string, text: string): Promise<{ own: OwnFunction; file: string }> {
  const folder = await scratch.folder(name, { 'index.mjs': text })
  const empty = await scratch.folder('empty', { nothing: '' })
  const services: OwnServices = {
    ...{ layer: { path: empty, bytes: 0, sha256: '' }, rootCertificateLayer: empty, secretId: 'app/db' },
    cloud: cloud.standIn,
    startEnvironment: (definition, options) => ExecutionEnvironment.start(definition, options),
  }
  const source = { folder, handler: 'index.handler', environment: {}, nodeBinary: process.execPath }
  const own = await OwnFunction.start(services, { ...source, runtime: 'nodejs24.x' })
  onTestFinished(() => own[Symbol.asyncDispose]())
  return { own, file: join(folder, 'index.mjs') }
}

test('each invocation has its own log, and the cold one that of init', async () => {
  const text = "console.log('init')\nexport const handler = async (event) => { console.log(event); return event }"
  const { own } = await start('logs', text)
  expect(await own.invoke('first')).toMatchObject({
    kind: 'cold',
    log: expect.stringMatching(/^[^\n]*init\n[^\n]*first\n$/),
  })
  expect(await own.invoke('second')).toMatchObject({ kind: 'warm', log: expect.stringMatching(/^[^\n]*second\n$/) })
  await own.freeze()
  expect(await own.invoke('third')).toMatchObject({ kind: 'thawed', log: expect.stringMatching(/^[^\n]*third\n$/) })
})

test('an init phase that fails is logged once, and is the error of the invocation', async () => {
  const { own } = await start('no-handler', 'export const other = 1')
  const { log, error, ...rest } = await own.invoke({})
  expect(rest).toEqual({ kind: 'cold', ok: false, ms: expect.any(Number), logins: 0 })
  expect(error).toMatchObject({ errorType: 'Runtime.HandlerNotFound' })
  expect(log).toMatch(/^index exports other\nUncaught Exception\t[^\n]*\n$/)
})

test('after a process that ended, the next invocation is cold', async () => {
  const { own } = await start('exits', 'export const handler = async (event) => event === "exit" && process.exit(3)')
  await own.invoke('stay')
  expect(await own.invoke('exit')).toMatchObject({ kind: 'warm', ok: false, error: { errorType: 'Runtime.ExitError' } })
  expect(await own.invoke('stay')).toMatchObject({ kind: 'cold', ok: true })
})

test('changed code runs after reload(), in a new process with a log of its own', async () => {
  const { own, file } = await start('changes', 'export const handler = async () => 1')
  await own.invoke({})
  await writeFile(file, "console.log('new')\nexport const handler = async () => 2")
  expect(await own.invoke({})).toMatchObject({ kind: 'warm', result: 1 })
  await own.reload()
  expect(await own.invoke({})).toMatchObject({ kind: 'cold', result: 2, log: expect.stringMatching(/new\n$/) })
})
