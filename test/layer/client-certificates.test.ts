/** Functions on the built layer whose secret holds a client certificate and its key, and no password. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { type CertificateServer, openCertificateServer, type Pair } from '../support/certificate-server.ts'
import { Scratch, startFunction } from '../support/lambda.ts'
import { LAYER } from '../support/layer-function.ts'
import { awsEnvironment } from '../support/product.ts'

const HANDLER = `
import { statSync } from 'node:fs'
import { inspect } from 'node:util'
import { connectionString, getClient, healthCheck, query, withDatabase } from 'cockroach-lambda'
const session = 'select pid, client_dn, client_serial::text as serial from pg_stat_ssl where pid = pg_backend_pid()'
const uses = {
  session: async () => (await query(session)).rows[0],
  slow: () => query('select pg_sleep(60)').catch(({ code, message }) => ({ code, message })),
  replace: async () => (await getClient()).release(true),
  string: async () => {
    const { searchParams } = new URL(await connectionString())
    const paths = ['sslcert', 'sslkey'].map((name) => searchParams.get(name))
    return [...paths, ...paths.map((path) => (statSync(path).mode & 0o777).toString(8))]
  },
  print: async () => {
    const report = await healthCheck()
    const client = await getClient()
    console.log(inspect([client, report], { depth: Infinity, showHidden: true, maxStringLength: null }))
    client.release()
  },
}
export const handler = withDatabase(({ use }) => uses[use]())
`

let stage: CertificateServer
let secretsManager: SecretsManagerStandIn
let scratch: Scratch
let code: string

beforeAll(async () => {
  stage = await openCertificateServer()
  secretsManager = await SecretsManagerStandIn.start()
  scratch = await Scratch.make()
  code = await scratch.folder('function', { 'index.mjs': HANDLER })
})

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
  await secretsManager?.stop()
  await scratch?.[Symbol.asyncDispose]()
})

/** As Go encodes a query: a blank is a plus. */
const inline = (text: string) => encodeURIComponent(text).replaceAll('%20', '+')

function inlineUrl({ cert, key }: Pair): string {
  const { host, port, user, dbname, sslrootcert } = stage.login()
  const pem = `sslcert=${inline(cert)}&sslkey=${inline(key)}&sslrootcert=${inline(sslrootcert)}`
  return `postgresql://${user}@${host}:${port}/${dbname}?sslinline=true&sslmode=verify-full&${pem}`
}

function jsonFields({ cert, key }: Pair): string {
  return JSON.stringify({ ...stage.login(), client_cert: cert.replaceAll('\n', ' '), clientKey: key })
}

async function start(secretId: string, variables: Record<string, string> = {}) {
  return startFunction(
    'index.handler',
    { code, layers: [LAYER], environment: { COCKROACH_SECRET_ID: secretId, ...variables } },
    { freezeBetween: true, environment: awsEnvironment(secretsManager) },
  )
}

describe.each([
  ['json-fields', jsonFields],
  ['url-with-sslinline', inlineUrl],
])('with the PEM texts in the secret %s', (form, write) => {
  test('a function logs in cold, warm, after a thaw and with a replaced certificate', async () => {
    const [first, second] = [await stage.issue('app'), await stage.issue('app')]
    secretsManager.secrets.create(form, write(first))
    const environment = await start(form, { COCKROACH_SECRET_TTL_SECONDS: '0' })
    const session = async () => Object(await environment.invoke({ use: 'session' })).payload
    const cold = await session()
    expect(cold).toMatchObject({ client_dn: '/CN=app', serial: expect.stringMatching(/^\d+$/) })
    expect(await session()).toEqual(cold)
    await stage.server.query('select pg_terminate_backend($1, 10000)', [cold.pid])
    const thawed = await session()
    expect(thawed).toMatchObject({ client_dn: cold.client_dn, serial: cold.serial })
    expect(thawed.pid).not.toBe(cold.pid)
    secretsManager.secrets.put(form, write(second))
    expect(await session()).toEqual(thawed)
    await environment.invoke({ use: 'replace' })
    const replaced = await session()
    expect(replaced).toMatchObject({ client_dn: '/CN=app' })
    expect(replaced.serial).not.toBe(cold.serial)
    expect(environment.coldStarts).toBe(1)
  })
})

test('a statement is cancelled at the deadline, libpq’s files are the owner’s, and no log has the key', async () => {
  const pair = await stage.issue('app')
  secretsManager.secrets.create('whole', jsonFields(pair))
  const environment = await start('whole')
  expect(await environment.invoke({ use: 'slow' }, { timeoutMs: 1500 })).toMatchObject({
    payload: { code: 'ERR_DEADLINE', message: expect.stringContaining('was cancelled') },
  })
  const sleeping =
    "select count(*)::int as count from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'"
  await expect.poll(() => stage.server.query(sleeping), { timeout: 5000 }).toEqual([{ count: 0 }])
  expect(await environment.invoke({ use: 'string' })).toMatchObject({
    payload: [expect.stringMatching(/client\.crt$/), expect.stringMatching(/client\.key$/), '600', '600'],
  })
  expect(await environment.invoke({ use: 'print' })).toMatchObject({ ok: true })
  const lines = pair.key.split('\n').filter((line) => line !== '' && !line.startsWith('-----'))
  expect(environment.output).toContain('openedWith')
  for (const line of lines) expect(environment.output).not.toContain(line)
})
