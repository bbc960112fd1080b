import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodePath } from '../../../../local/node-versions.ts'
import { Scratch, startFunction, writeLayerA, writeLayerB } from '../../../support/lambda.ts'

let scratch: Scratch
let layerA: string
let layerB: string

beforeAll(async () => {
  scratch = await Scratch.make()
  ;[layerA, layerB] = await Promise.all([writeLayerA(scratch), writeLayerB(scratch)])
})
afterAll(() => scratch[Symbol.asyncDispose]())

describe.each([
  ['nodejs24.x', () => process.execPath],
  ['nodejs22.x', () => nodePath(22)],
  ['nodejs26.x', () => nodePath(26)],
] as const)('on %s', (runtime, nodeBinary) => {
  test.each([
    ['import finds a package of a layer', 'module.handler', 'a', 'hello from layer a, imported'],
    ['require finds a package of a layer', 'commonjs.handler', 'a', 'hello from layer a, required'],
    ['import finds the file of a later layer first', 'module.handler', 'ab', 'hello from layer b, imported'],
    ['require finds what the later layer lacks', 'commonjs.handler', 'ab', 'hello from layer a, required'],
  ])('%s', async (_, handler, which, payload) => {
    const layers = which === 'a' ? [layerA] : [layerA, layerB]
    const environment = await startFunction(handler, { layers, runtime }, { nodeBinary: nodeBinary() })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload })
    expect(await readFile(join(environment.opt, 'certs', 'root.crt'), 'utf8')).toBe('root of layer a')
  })

  test('import finds the package of the function itself first', async () => {
    const code = await scratch.folder(`own-package-${runtime}`, {
      'index.mjs': "import { greet } from 'greeting'\nexport const handler = async () => greet()",
      'node_modules/greeting/package.json': JSON.stringify({ name: 'greeting', exports: './index.mjs' }),
      'node_modules/greeting/index.mjs': "export const greet = () => 'hello from the function'",
    })
    const changes = { code, layers: [layerA], runtime }
    const environment = await startFunction('index.handler', changes, { nodeBinary: nodeBinary() })
    expect(await environment.invoke({})).toMatchObject({ ok: true, payload: 'hello from the function' })
  })
})
