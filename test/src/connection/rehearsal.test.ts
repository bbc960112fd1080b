import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { mergeParameters } from '../../../src/connection/parameters.ts'
import { rehearseLogin } from '../../../src/connection/rehearsal.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { readSettings } from '../../../src/settings/settings.ts'

const MODULE = join(import.meta.dirname, '../../../src/connection/rehearsal.ts')

test('a rehearsal leaves nothing behind: the process ends by itself, and silently', async () => {
  const call = `rehearseLogin(() => { throw new Error('settings that contradict') }, async () => undefined)`
  const script = `const { rehearseLogin } = await import(${JSON.stringify(MODULE)}); ${call}; ${call}`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  expect([stdout, stderr]).toEqual(['', ''])
})

test('a rehearsal takes place once, with a secret that goes all the way', () => {
  const destinations: object[] = []
  const rehearse = () =>
    rehearseLogin(
      (secretString) => {
        const { fields } = parseSecret(secretString, { origin: { code: 'ERR_SECRET_INVALID', name: 'made up' } })
        const { parameters, warnings } = mergeParameters(readSettings({ secretId: 'app/db' }), fields)
        destinations.push({ host: parameters.host, dbname: parameters.dbname, warnings })
        throw new Error('far enough')
      },
      async () => undefined,
    )
  rehearse()
  rehearse()
  expect(destinations).toEqual([
    { host: 'cluster-1234.abc.region.cockroachlabs.cloud', dbname: 'cluster-1234.database', warnings: [] },
  ])
})
