/** Logins by password with the built layer's pg, which computes hashes with functions of its own. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SecretsManagerStandIn } from '../../local/secrets-manager/stand-in.ts'
import { type CertificateServer, openCertificateServer } from '../support/certificate-server.ts'
import { Scratch, startFunction } from '../support/lambda.ts'
import { LAYER } from '../support/layer-function.ts'
import { awsEnvironment } from '../support/product.ts'

const HANDLER = `
import { withDatabase } from 'cockroach-lambda'
export const handler = withDatabase(async (_event, _context, db) => {
  const { rows } = await db.query('select current_user as user')
  return rows[0]
})
`

let stage: CertificateServer
let secretsManager: SecretsManagerStandIn
let scratch: Scratch
let code: string

beforeAll(async () => {
  stage = await openCertificateServer()
  await stage.server.query(`set password_encryption to md5; create role hashed login password 'password of hashed'`)
  secretsManager = await SecretsManagerStandIn.start()
  scratch = await Scratch.make()
  code = await scratch.folder('function', { 'index.mjs': HANDLER })
})

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
  await secretsManager?.stop()
  await scratch?.[Symbol.asyncDispose]()
})

async function logIn(user: string, password: string, fields: object) {
  const secretId = `${user}-${JSON.stringify(fields).replace(/\W/g, '-')}-${password.length}`
  secretsManager.secrets.create(secretId, JSON.stringify({ ...stage.login(user), password, ...fields }))
  const environment = await startFunction(
    'index.handler',
    { code, layers: [LAYER], environment: { COCKROACH_SECRET_ID: secretId } },
    { environment: awsEnvironment(secretsManager) },
  )
  return environment.invoke({})
}

test.each([
  ['SCRAM', 'plain', { require_auth: 'scram-sha-256' }],
  ['SCRAM with channel binding', 'plain', { channel_binding: 'require' }],
  ['MD5', 'hashed', { require_auth: 'md5' }],
])('%s: the right password is accepted, a wrong one refused', async (_, user, fields) => {
  expect(await logIn(user, `password of ${user}`, fields)).toMatchObject({ ok: true, payload: { user } })
  expect(await logIn(user, 'another', fields)).toMatchObject({
    ok: false,
    error: { errorType: 'ConnectionError', errorMessage: expect.stringContaining('password') },
  })
})
