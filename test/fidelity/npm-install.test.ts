/** The README's lines for the npm package: packed here, installed by npm in an empty folder, with what it needs. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { SNIPPETS } from '../support/page.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
/** The clone's name and the reader's folder are side by side in it. */
const parent = mkdtempSync(join(tmpdir(), 'cockroach-lambda-npm-install-'))
const folder = join(parent, 'mine')
const clone = join(parent, 'cockroach-lambda')
afterAll(() => rmSync(parent, { recursive: true, force: true }))

/** The README's command that begins so. */
function line(start: string): string {
  const [found = ''] = SNIPPETS.filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.trim().split(/\n| && /))
    .filter((each) => each.startsWith(start))
  return found
}

const run = async (command: string, cwd: string): Promise<string> =>
  (await promisify(execFile)('sh', ['-c', command], { cwd, env: { ...process.env, NODE_ENV: '' } })).stdout

test('the package that npm packs is installed with pg and the SDK, and answers to import and require', async () => {
  mkdirSync(folder)
  mkdirSync(clone)
  // Built before the tests. As if the repository were the clone beside the reader's folder.
  const packed = (await run(`${line('npm pack')} --silent`, REPOSITORY)).trim()
  renameSync(join(REPOSITORY, packed), join(clone, packed))
  const install = line('npm install ../')
  expect(basename(install.split(' ')[2] ?? '')).toBe(packed)
  await run(`${install} --no-audit --no-fund`, folder)
  writeFileSync(
    join(folder, 'reader.cjs'),
    `import('cockroach-lambda').then((imported) => {
      const pool = imported.createDatabase({ connectionString: 'postgresql://user@localhost/database' }).getPool()
      console.log(imported.query === require('cockroach-lambda').query, pool instanceof require('pg').Pool)
    })`,
  )
  expect(await run('node reader.cjs', folder)).toBe('true true\n')
})
