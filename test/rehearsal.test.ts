import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const MODULE = join(import.meta.dirname, '../src/rehearsal.ts')

test('a rehearsal leaves nothing behind: the process ends by itself, and silently', async () => {
  const script = `const { rehearseLogin } = await import(${JSON.stringify(MODULE)}); rehearseLogin(); rehearseLogin()`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect([stdout, stderr]).toEqual(['', ''])
})
