import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { exist, Scratch, startFunction, writeLayerA, writeLayerB } from '../../support/lambda.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await Scratch.make()
})
afterAll(() => scratch[Symbol.asyncDispose]())

test('environments with the same layers share a folder, and the last one removes it', async () => {
  const [layerA, layerB] = [await writeLayerA(scratch), await writeLayerB(scratch)]
  const [first, second, other] = await Promise.all([
    startFunction('echo.handler', { layers: [layerA] }),
    startFunction('echo.handler', { layers: [layerA] }),
    startFunction('echo.handler', { layers: [layerA, layerB] }),
  ])
  expect(second.opt).toBe(first.opt)
  expect(other.opt).not.toBe(first.opt)
  await first.shutdown()
  const { payload } = await second.invoke({})
  const { LAMBDA_TASK_ROOT, TMPDIR } = Object(payload).environment
  const folders = [second.opt, other.opt, LAMBDA_TASK_ROOT, TMPDIR]
  expect(exist(folders)).toEqual([true, true, true, true])
  await Promise.all([second.shutdown(), other.shutdown()])
  expect(exist(folders)).toEqual([false, false, false, false])
})

test.each(['code', 'layers'] as const)('%s that do not exist are named in the error', async (member) => {
  const missing = join(scratch.path, 'not-built.zip')
  const changes = member === 'code' ? { code: missing } : { layers: [missing] }
  await expect(startFunction('echo.handler', changes)).rejects.toThrow(`${missing} is not a zip file or folder`)
})

test('a zip entry outside its folder, ../evil.txt, is refused', async () => {
  const layers = [await scratch.zip('evil.zip', { '../evil.txt': 'x' })]
  await expect(startFunction('echo.handler', { layers })).rejects.toThrow('which is outside its folder')
})

test('packages that are links to folders, as pnpm installs them, are found', async () => {
  const code = await scratch.folder('linked', {
    'index.mjs': "import { word } from 'linked'\nexport const handler = async () => word",
    'node_modules/.store/linked/package.json': '{ "main": "index.cjs" }',
    'node_modules/.store/linked/index.cjs': "exports.word = 'hello'",
  })
  await symlink('.store/linked', join(code, 'node_modules/linked'))
  const environment = await startFunction('index.handler', { code })
  expect(await environment.invoke({})).toMatchObject({ payload: 'hello' })
})
