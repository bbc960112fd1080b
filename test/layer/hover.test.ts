/** What an editor shows: the documentation that TypeScript's language service finds in the packed package. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as library from '../../src/index.ts'
import { installPackedPackage } from '../support/packed-package.ts'
import { typeScript5Folder } from '../support/type-script.ts'

const SETUP_TIMEOUT_MS = 120_000

/** The part of TypeScript's API that is used. */
interface QuickInfo {
  readonly documentation?: readonly { readonly text: string }[]
}
interface LanguageService {
  getQuickInfoAtPosition(file: string, position: number): QuickInfo | undefined
  getCompletionsAtPosition(file: string, position: number, options: object): Completions | undefined
  getCompletionEntryDetails(
    file: string,
    position: number,
    name: string,
    ...none: readonly undefined[]
  ): QuickInfo | undefined
}
interface Completions {
  readonly entries: readonly { readonly name: string }[]
}

const folder = mkdtempSync(join(tmpdir(), 'cockroach-lambda-hover-'))
const file = join(folder, 'reader.ts')
let service: LanguageService

const TEXT = `import * as library from 'cockroach-lambda'
void library./*exports*/query
void library.createDatabase()./*database*/query
void library.createDatabase({ /*options*/ })
void library.query('select 1', [], { /*query options*/ })
void library.transaction(async () => {}, { /*transaction options*/ })
void library.getClient()
void library.getPool()
void library.connectionString()
void library.healthCheck()
void library.ready()
void library.close()
void library.query({ text: 'select 1', rowMode: 'array' })
void library.withDatabase(async (_event: object, _context, db) => db.transaction(async () => 'done'))
declare const failure: library.ConnectionError
void failure./*error*/code
`

beforeAll(() => {
  installPackedPackage(folder)
  writeFileSync(file, TEXT)
  const ts = createRequire(import.meta.filename)(join(typeScript5Folder(), 'lib/typescript.js'))
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true, types: ['node'] }
  service = ts.createLanguageService({
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path: string) =>
      ts.sys.fileExists(path) ? ts.ScriptSnapshot.fromString(readFileSync(path, 'utf8')) : undefined,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    useCaseSensitiveFileNames: () => true,
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
    realpath: ts.sys.realpath,
  })
}, SETUP_TIMEOUT_MS)
afterAll(() => rmSync(folder, { recursive: true }))

/** The names that an editor offers at a mark of the text, each with its documentation. */
function offered(mark: string): ReadonlyMap<string, string> {
  const position = TEXT.indexOf(`/*${mark}*/`)
  const entries = service.getCompletionsAtPosition(file, position, {})?.entries ?? []
  return new Map(
    entries.map(({ name }) => {
      const none = [undefined, undefined, undefined, undefined] as const
      const details = service.getCompletionEntryDetails(file, position, name, ...none)
      return [name, (details?.documentation ?? []).map(({ text }) => text).join('')]
    }),
  )
}

const undocumented = (found: ReadonlyMap<string, string>): readonly string[] =>
  [...found].filter(([, text]) => text === '').map(([name]) => name)

test('every export is documented', () => {
  const found = offered('exports')
  expect([...found.keys()]).toEqual(expect.arrayContaining(Object.keys(library)))
  expect(undocumented(found)).toEqual([])
})

test('every call shows documentation', () => {
  const bare = [...TEXT.matchAll(/(?<=\.)\w+(?=\()/g)].filter(({ index }) => {
    const found = service.getQuickInfoAtPosition(file, index)
    return (found?.documentation ?? []).length === 0
  })
  expect(bare.map(([name]) => name)).toEqual([])
})

test.each([
  ['database', ['query', 'transaction', 'getClient', 'getPool', 'connectionString', 'healthCheck', 'ready', 'close']],
  ['options', ['secretId', 'user', 'password', 'sslmode', 'clusterRouting']],
  ['query options', ['idempotent']],
  ['transaction options', ['maxAttempts', 'isolationLevel', 'readOnly']],
  ['error', ['code', 'hint', 'safeToRetry']],
])('every member of %s is documented', (mark, names) => {
  const found = offered(mark)
  expect([...found.keys()]).toEqual(expect.arrayContaining(names))
  expect(undocumented(found).filter((name) => !STANDARD.includes(name))).toEqual([])
})

/** Members of every error, which TypeScript's own declarations leave bare. */
const STANDARD: readonly string[] = ['cause', 'message', 'name', 'stack']
