import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkFunctionFolder } from '../../../local/own-function/function-folder.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-function-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(...names: readonly string[]): void {
  for (const name of names) {
    mkdirSync(join(folder, dirname(name)), { recursive: true })
    writeFileSync(join(folder, name), '')
  }
}

/** The error's message, with FOLDER in place of the path. */
async function refusal(handler: string): Promise<string> {
  const error: unknown = await checkFunctionFolder(folder, handler).catch((reason: unknown) => reason)
  return error instanceof Error ? error.message.replaceAll(folder, 'FOLDER') : 'accepted'
}

test.each<[handler: string, file: string]>([
  ['index.handler', 'index.mjs'],
  ['index.handler', 'index.cjs'],
  ['index.handler', 'index.js'],
  ['src/app.main.handler', 'src/app.js'],
  ['index.handler', 'index/index.js'],
])('%s is in %s', async (handler, file) => {
  write(file)
  expect(await refusal(handler)).toBe('accepted')
})

describe('refuses', () => {
  const FORM = '--handler: expected FILE.EXPORT, for example index.handler, with FILE below FOLDER'
  const NONE = 'FOLDER has none of index.mjs, index.cjs, index.js'
  test.each<[handler: string, files: readonly string[], message: string]>([
    ['index', ['index.mjs'], FORM],
    ['../index.handler', ['index.mjs'], FORM],
    ['index.handler', [], `${NONE}; the folder to name is the one that you would upload`],
    [
      'index.handler',
      ['main.cjs', 'app.mjs', 'package.json'],
      `${NONE}; found app.mjs, main.cjs: name one with --handler, for example --handler app.handler`,
    ],
    [
      'src/index.handler',
      ['src/app.js'],
      'FOLDER/src has none of index.mjs, index.cjs, index.js; found app.js: name one with --handler, for example --handler src/app.handler',
    ],
  ])('%s among %j', async (handler, files, message) => {
    write(...files)
    expect(await refusal(handler)).toBe(message)
  })

  test('TypeScript alone, with the commands that bundle it', async () => {
    write("it's here/src/app.mts", "it's here/src/other.mjs")
    folder = join(folder, "it's here")
    const text = await refusal('src/app.handler')
    folder = dirname(folder)
    expect(text.split('\n')).toEqual([
      'FOLDER/src/app.mts is TypeScript, and there is none of app.mjs, app.cjs, app.js, which Lambda runs. Bundle it, and name the folder of the bundle:',
      expect.stringMatching(
        /^ {2}npx esbuild '\/.*\/it'\\''s here\/src\/app\.mts' --bundle .* --outfile='.*it'\\''s here\/dist\/app\.mjs'$/,
      ),
      expect.stringMatching(/^ {2}npm start -- --function '.*it'\\''s here\/dist' --handler app\.handler$/),
    ])
  })

  test('a path that does not exist', async () => {
    await expect(checkFunctionFolder(join(folder, 'none'), 'index.handler')).rejects.toThrow('/none does not exist')
  })

  test('a file', async () => {
    write('index.mjs')
    await expect(checkFunctionFolder(join(folder, 'index.mjs'), 'index.handler')).rejects.toThrow(
      'index.mjs is not a folder; name the one that it is in',
    )
  })
})
