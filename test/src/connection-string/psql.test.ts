/** libpq's own client takes the connection string as it is. Runs wherever psql is; CI installs it. */
import { execFile, execFileSync } from 'node:child_process'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openProduct, type Product } from '../../support/product.ts'

const run = promisify(execFile)

function hasPsql(): boolean {
  try {
    execFileSync('psql', ['--version'])
    return true
  } catch {
    return false
  }
}

const isMissing = !hasPsql()
if (isMissing && process.env.CI)
  throw new Error('psql is missing; CI must install it: apt-get install postgresql-client')

describe.skipIf(isMissing)('psql', () => {
  let product: Product

  beforeAll(async () => {
    product = await openProduct()
  })

  afterAll(async () => {
    await product?.[Symbol.asyncDispose]()
  })

  /** The stand-in's names resolve in this process only; libpq has a variable for that. */
  async function psql(connectionString: string, sql: string): Promise<string> {
    const env = { ...process.env, PGHOSTADDR: '127.0.0.1' }
    const { stdout } = await run('psql', ['-X', '-At', '-c', sql, connectionString], { env })
    return stdout.trim()
  }

  test('connects with connectionString(), verified in full', async () => {
    const text = await product.database().connectionString()
    const sql =
      'select current_user, current_database(), (select ssl from pg_stat_ssl where pid = pg_backend_pid()) is not null'
    expect(await psql(text, sql)).toBe(`${product.cloud.user}|${product.cloud.database}|t`)
  })

  test('connects with connectionString() whose root certificates are those of Node', async () => {
    const before = getCACertificates('default')
    setDefaultCACertificates([product.cloud.authority.certificate])
    try {
      const text = await product.database({ sslrootcert: 'system' }).connectionString()
      expect(await psql(text, 'select current_user')).toBe(product.cloud.user)
    } finally {
      setDefaultCACertificates(before)
    }
  })

  test('refuses the server when the string names another root certificate', async () => {
    const text = await product.database({ sslrootcert: 'certs/root.crt' }).connectionString()
    await expect(psql(text, 'select 1')).rejects.toMatchObject({
      stderr: expect.stringContaining('certificate verify failed'),
    })
  })

  test.each([['p@ss/w#rd'], ['it\'s 100% =&?:;[]{}\\"<>|^`'], ['пароль 密码 🗝️'], ['%41+plus and blank']])(
    'reads the password %j out of it unchanged',
    async (password) => {
      const { cloud, secretsManager, fields } = product
      const user = `u${Buffer.from(password).toString('hex').slice(0, 12)}`
      await cloud.postgres.createUser(user, password)
      secretsManager.secrets.create(`psql/${user}`, JSON.stringify({ ...fields, username: user, password }))
      const text = await product.database({ secretId: `psql/${user}` }).connectionString()
      const answer = await psql(text, 'select current_user')
      await cloud.postgres.dropUser(user)
      expect(answer).toBe(user)
    },
  )
})
