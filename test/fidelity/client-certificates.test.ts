/** libpq logs in with the files that a connection string names for a client certificate. */
import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { Database } from '../../src/database.ts'
import { openCertificateServer } from '../support/certificate-server.ts'

test('psql logs in with the connection string, which names files of the owner’s alone', async () => {
  await using stage = await openCertificateServer()
  const { cert: sslcert, key: sslkey } = await stage.issue('app')
  const database = new Database({ ...stage.login(), sslcert, sslkey })
  const string = await database.connectionString()
  const { stdout } = await promisify(execFile)('psql', [string, '-XAtc', 'select current_user'])
  expect(stdout).toBe('app\n')
  expect(statSync(new URL(string).searchParams.get('sslkey') ?? '').mode & 0o777).toBe(0o600)
})
