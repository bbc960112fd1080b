/** The built rotation function, on the layer in a Lambda runtime, at a real PostgreSQL over verified TLS. */
import { randomUUID } from 'node:crypto'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { ROTATION_STEPS } from '../../../local/secrets-manager/rotations.ts'
import { parseSecret } from '../../../src/secret/value/parse.ts'
import { openProduct, type Product } from '../../support/product.ts'
import { createUser, logsIn, type RotatedUser, startRotation } from '../../support/rotation.ts'
import { FUNCTION_ARN, invokeStep } from '../../support/rotation-function.ts'

let product: Product
let sdk: SecretsManager
/** Every message of a client to the server, passwords' hashes included. */
let sent: string[] = []

beforeAll(async () => {
  product = await openProduct()
  sdk = new SecretsManager({ maxAttempts: 1 })
  product.cloud.standIn.onClientMessage = (_connection, _type, message) => {
    sent.push(Buffer.from(message).toString('latin1'))
    return 'forward'
  }
})

afterAll(async () => {
  sdk?.destroy()
  await product?.[Symbol.asyncDispose]()
})

beforeEach(() => {
  sent = []
})

/** Forms in which a secret names the login; the rest is the product's. */
const FORMS: readonly (readonly [string, (login: RotatedUser, fields: Product['fields']) => string])[] = [
  [
    'a connection string',
    ({ user, password }, { host, port, dbname, sslrootcert }) =>
      `postgresql://${user}:${password}@${host}:${port}/${dbname}?sslmode=verify-full&sslrootcert=${encodeURIComponent(String(sslrootcert))}`,
  ],
  [
    'JSON with a connection string',
    ({ user, password }, { host, port, dbname, sslrootcert }) =>
      JSON.stringify(
        {
          stage: 'prod',
          DATABASE_URL: `postgresql://${user}:${password}@${host}:${port}/${dbname}`,
          PGSSLROOTCERT: sslrootcert,
        },
        null,
        2,
      ),
  ],
  [
    'JSON with fields',
    ({ user, password }, fields) =>
      JSON.stringify({ engine: 'postgres', ...fields, username: user, password, note: 'x' }),
  ],
]

let count = 0

function createSecret(text: string): string {
  const name = `rotated/db-${++count}`
  product.secretsManager.secrets.create(name, text)
  return name
}

function fieldsSecret({ user, password }: RotatedUser, changes: object = {}): string {
  return createSecret(JSON.stringify({ ...product.fields, username: user, password, ...changes }))
}

/** The login of a version. */
async function login(SecretId: string, VersionStage = 'AWSCURRENT'): Promise<RotatedUser> {
  const { SecretString = '' } = await sdk.getSecretValue({ SecretId, VersionStage })
  const { fields } = parseSecret(SecretString, { origin: { code: 'ERR_SECRET_INVALID', name: 'secret' } })
  return { user: fields.user ?? '', password: fields.password?.reveal() ?? '' }
}

/** Begins a rotation, whose steps the test makes; returns its token. */
async function begin(SecretId: string): Promise<string> {
  const ClientRequestToken = randomUUID()
  product.secretsManager.secrets.rotationFunction('arn:none', async () => undefined)
  await sdk.rotateSecret({ SecretId, ClientRequestToken, RotationLambdaARN: 'arn:none' })
  await product.secretsManager.secrets.rotated(SecretId)
  return ClientRequestToken
}

/** The whole rotation, as RotateSecret does it; returns its error. */
async function rotate(SecretId: string): Promise<Error | undefined> {
  await sdk.rotateSecret({ SecretId, RotationLambdaARN: FUNCTION_ARN }).catch((error: Error) => {
    if (!error.message.includes('That rotation will be reattempted')) throw error
  })
  const error = await product.secretsManager.secrets.rotated(SecretId)
  return error === undefined ? undefined : error instanceof Error ? error : expect.fail(String(error))
}

function refusedLogins(): number {
  const { logins, authOk } = product.cloud.standIn.counts
  return logins - authOk
}

/** No password is in what the function wrote, or in what it sent to the server. */
function expectHidden(rotation: ExecutionEnvironment, ...logins: readonly RotatedUser[]): void {
  const text = [rotation.output, ...sent].join('\n')
  for (const { password } of logins) expect(text).not.toContain(password)
}

describe('one user', () => {
  test.each(FORMS)('the login of %s is replaced in it, and at the server', async (_name, write) => {
    const rotation = await startRotation(product)
    const before = await createUser(product)
    const SecretId = createSecret(write(before, product.fields))
    const refused = refusedLogins()
    expect(await rotate(SecretId)).toBeUndefined()
    const after = await login(SecretId)
    expect(after.user).toBe(before.user)
    expect((await sdk.getSecretValue({ SecretId })).SecretString).toBe(write(after, product.fields))
    expect(await login(SecretId, 'AWSPREVIOUS')).toEqual(before)
    expect(await logsIn(product, after)).toBe(true)
    expect(await logsIn(product, before)).toBe(false)
    expect(refusedLogins()).toBe(refused)
    expect(sent.join('\n')).toContain("PASSWORD 'SCRAM-SHA-256$4096:")
    expectHidden(rotation, before, after)
  })

  test.each(ROTATION_STEPS)('a rotation that was interrupted after %s is begun again and ends well', async (last) => {
    const rotation = await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret(before)
    const token = await begin(SecretId)
    const call = (Step: (typeof ROTATION_STEPS)[number]) =>
      invokeStep(rotation, { SecretId, ClientRequestToken: token, Step })
    for (const step of ROTATION_STEPS.slice(0, ROTATION_STEPS.indexOf(last) + 1)) await call(step)
    const refused = refusedLogins()
    // Each step twice: Secrets Manager may repeat any.
    for (const step of ROTATION_STEPS) {
      await call(step)
      await call(step)
    }
    const after = await login(SecretId)
    expect(await logsIn(product, after)).toBe(true)
    expect(after.password).not.toBe(before.password)
    // AWSCURRENT, once, after it was changed; the library does not try it again.
    expect(refusedLogins() - refused).toBeLessThanOrEqual(1)
    expect(Object.keys((await sdk.describeSecret({ SecretId })).VersionIdsToStages ?? {})).toHaveLength(2)
    expectHidden(rotation, before, after)
  })

  test('a rotation that fails before the password is changed leaves the old login working, and can be repeated', async () => {
    await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret(before)
    product.cloud.standIn.refuse = 'tls'
    const error = await rotate(SecretId)
    product.cloud.standIn.refuse = undefined
    expect(error).toMatchObject({
      name: 'RotationError',
      message: expect.stringMatching(/^setSecret of secret .* failed: .*\(ERR_TLS\)/),
    })
    expect(await login(SecretId)).toEqual(before)
    expect(await logsIn(product, before)).toBe(true)
    expect(await rotate(SecretId)).toBeUndefined()
    expect(await logsIn(product, await login(SecretId))).toBe(true)
  })

  test('after a rotation that fails once the password is changed, functions log in with AWSPENDING', async () => {
    await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret(before)
    product.cloud.standIn.onServerMessage = (_connection, type) => {
      // The answer to ALTER USER.
      if (type === 'C' && sent.at(-1)?.includes('ALTER USER')) product.cloud.standIn.refuse = 'rst'
      return 'forward'
    }
    const error = await rotate(SecretId)
    product.cloud.standIn.onServerMessage = undefined
    product.cloud.standIn.refuse = undefined
    expect(error?.message).toMatch(/^(?:set|test)Secret of secret /)
    expect(await login(SecretId)).toEqual(before)
    expect(await logsIn(product, before)).toBe(false)
    const database = product.database({ secretId: SecretId })
    expect((await database.query('select session_user as user')).rows).toEqual([{ user: before.user }])
    expect(await rotate(SecretId)).toBeUndefined()
    expect(await logsIn(product, await login(SecretId))).toBe(true)
  })

  test('a password that neither version has is reported, with the user and both versions', async () => {
    const rotation = await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret({ ...before, password: 'changed-by-hand-0001' })
    const error = await rotate(SecretId)
    expect(error?.message).toContain(
      `the server refuses user "${before.user}" with the password of AWSCURRENT, and with that of AWSPENDING (ERR_AUTHENTICATION). Change the password in SQL`,
    )
    expectHidden(rotation, await login(SecretId), await login(SecretId, 'AWSPENDING'))
  })

  test('at CockroachDB the hash has the cost of its default', async () => {
    await startRotation(product)
    const before = await createUser(product)
    const { postgres, database } = product.cloud
    await postgres.query(
      `create or replace function public.version() returns text language sql as $$ select 'CockroachDB CCL v25.4.0' $$`,
      [],
      database,
    )
    await postgres.query(`alter role "${before.user}" set search_path = public, pg_catalog`)
    const SecretId = fieldsSecret(before)
    expect(await rotate(SecretId)).toBeUndefined()
    expect(sent.join('\n')).toContain(`ALTER USER "${before.user}" PASSWORD 'SCRAM-SHA-256$10610:`)
    expect(await logsIn(product, await login(SecretId))).toBe(true)
  })
})

describe('two users in turns', () => {
  async function setUp(masterOptions: string) {
    // Dropped in the other order: the master's grants depend on it.
    const master = await createUser(product, masterOptions)
    const app = await createUser(product)
    const masterId = fieldsSecret(master)
    const rotation = await startRotation(product, { ROTATION_MASTER_SECRET_ID: masterId })
    return { app, master, rotation, SecretId: fieldsSecret(app) }
  }

  test('each rotation changes to the other user, whose rights are those of the first', async () => {
    const { app, master, rotation, SecretId } = await setUp('SUPERUSER')
    const { postgres, database } = product.cloud
    await postgres.query(
      `create table of_${app.user} as select 7 as n; alter table of_${app.user} owner to ${app.user}`,
      [],
      database,
    )
    const refused = refusedLogins()
    const logins = [app]
    for (const user of [`${app.user}_clone`, app.user, `${app.user}_clone`]) {
      expect(await rotate(SecretId)).toBeUndefined()
      const now = await login(SecretId)
      expect(now.user).toBe(user)
      expect(await logsIn(product, now)).toBe(true)
      // The one before goes on working until its next turn.
      expect(await logsIn(product, logins.at(-1) ?? app)).toBe(true)
      logins.push(now)
      const database = product.database({ secretId: SecretId })
      expect((await database.query(`select n from of_${app.user}`)).rows).toEqual([{ n: 7 }])
    }
    expect(refusedLogins()).toBe(refused)
    expectHidden(rotation, master, ...logins)
    await postgres.query(`drop table of_${app.user}`, [], database)
  })

  test.each(ROTATION_STEPS)('a rotation that was interrupted after %s is begun again and ends well', async (last) => {
    const { app, rotation, SecretId } = await setUp('SUPERUSER')
    const token = await begin(SecretId)
    const refused = refusedLogins()
    const until = ROTATION_STEPS.slice(0, ROTATION_STEPS.indexOf(last) + 1)
    for (const Step of [...until, ...ROTATION_STEPS.flatMap((step) => [step, step])]) {
      await invokeStep(rotation, { SecretId, ClientRequestToken: token, Step })
    }
    expect(await login(SecretId)).toMatchObject({ user: `${app.user}_clone` })
    expect(await logsIn(product, await login(SecretId))).toBe(true)
    expect(refusedLogins()).toBe(refused)
  })

  test.each([
    [
      'no right to create users',
      'NOCREATEROLE',
      /creating user "\w+_clone" as user "\w+": permission denied to create role.* \(42501\)/,
    ],
    [
      'no right to grant the original',
      'CREATEROLE',
      /granting "\w+" to user "\w+_clone" as user "\w+": permission denied to grant role .* \(42501\)/,
    ],
  ])('of a master user with %s, the message says what to run, and that is enough', async (_name, options, message) => {
    const { app, master, SecretId } = await setUp(options)
    const error = await rotate(SecretId)
    expect(error?.message).toMatch(message)
    const [, statements = ''] = /Run once as a superuser: (.*)$/.exec(error?.message ?? '') ?? []
    expect(statements).toContain(`GRANT "${app.user}" TO "${master.user}" WITH ADMIN OPTION`)
    expect(await login(SecretId)).toEqual(app)
    expect(await logsIn(product, app)).toBe(true)
    await product.cloud.postgres.query(statements)
    // To the clone, and back to the original.
    expect(await rotate(SecretId)).toBeUndefined()
    expect(await rotate(SecretId)).toBeUndefined()
    expect(await logsIn(product, await login(SecretId))).toBe(true)
  })

  test.each([
    ['the user itself', (app: RotatedUser) => ({ username: app.user, password: app.password }), 'names user "app_'],
    ['another host', (_app: RotatedUser) => ({ host: 'elsewhere.example.com' }), 'names another host'],
  ])('a master secret that names %s is refused, before anything is sent', async (_name, changes, message) => {
    const app = await createUser(product)
    const masterId = fieldsSecret(await createUser(product, 'SUPERUSER'), changes(app))
    await startRotation(product, { ROTATION_MASTER_SECRET_ID: masterId })
    expect((await rotate(fieldsSecret(app)))?.message).toContain(`the master secret ${message}`)
    expect(sent).toEqual([])
  })

  test('a user whose second name would be too long is refused before a version is made', async () => {
    await startRotation(product, { ROTATION_MASTER_SECRET_ID: 'x' })
    const SecretId = fieldsSecret({ user: 'u'.repeat(58), password: 'p' })
    expect((await rotate(SecretId))?.message).toContain('a name has 1 to 63 bytes')
    await expect(login(SecretId, 'AWSPENDING')).rejects.toThrow("can't find the specified secret value")
  })
})

describe('what cannot be rotated', () => {
  const password = 'in-no-message-0001'

  test.each([
    ['no user', { username: '' }, 'key "username" is empty'],
    ['no password', { password: null, sslcert: '/x' }, 'key "password" is null'],
    ['two connection strings', { url: 'postgresql://a@b/c', uri: 'postgresql://d@e/f' }, 'holds 2 connection strings'],
  ])('a secret with %s is refused by createSecret, and gets no version', async (_name, changes, message) => {
    const rotation = await startRotation(product)
    const SecretId = fieldsSecret({ user: 'app', password }, changes)
    expect((await rotate(SecretId))?.message).toMatch(
      new RegExp(`^createSecret of secret "arn:.*" failed: AWSCURRENT: .*${message}`),
    )
    await expect(sdk.getSecretValue({ SecretId, VersionStage: 'AWSPENDING' })).rejects.toThrow()
    expect(rotation.output).not.toContain(password)
  })

  test('a binary secret is refused', async () => {
    await startRotation(product)
    const name = `rotated/db-${++count}`
    product.secretsManager.secrets.create(name, Buffer.from('x'))
    expect((await rotate(name))?.message).toContain('is binary')
  })

  test.each([
    ['no event', {}, 'the event is no step of a rotation'],
    [
      'another step',
      { SecretId: 'x', ClientRequestToken: 'y', Step: 'dropSecret' },
      'the event is no step of a rotation',
    ],
    [
      'a secret without rotation',
      { SecretId: 'app/db', ClientRequestToken: 'y', Step: 'createSecret' },
      'rotation is not switched on',
    ],
    [
      'a secret that is not there',
      { SecretId: 'nope', ClientRequestToken: 'y', Step: 'createSecret' },
      'ResourceNotFoundException',
    ],
  ])('%s is refused', async (_name, event, message) => {
    const rotation = await startRotation(product)
    expect((await rotation.invoke(event)).error).toMatchObject({
      errorType: 'RotationError',
      errorMessage: expect.stringContaining(message),
    })
  })

  test('a version that is not AWSPENDING is refused, and one that is AWSCURRENT needs nothing', async () => {
    const rotation = await startRotation(product)
    const SecretId = fieldsSecret(await createUser(product))
    const token = await begin(SecretId)
    const call = (ClientRequestToken: string) => rotation.invoke({ SecretId, ClientRequestToken, Step: 'setSecret' })
    expect((await call(randomUUID())).error?.errorMessage).toContain('no version with the id of this rotation')
    const { VersionId = '' } = await sdk.getSecretValue({ SecretId })
    expect(await call(VersionId)).toMatchObject({ ok: true })
    await sdk.updateSecretVersionStage({ SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId: token })
    expect((await call(token)).ok).toBe(false)
  })

  test('AWSPENDING of somebody else, for another server, is refused before anything is sent', async () => {
    const rotation = await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret(before)
    const ClientRequestToken = await begin(SecretId)
    const SecretString = JSON.stringify({
      ...product.fields,
      username: before.user,
      password,
      host: 'elsewhere.example.com',
    })
    await sdk.putSecretValue({ SecretId, ClientRequestToken, SecretString, VersionStages: ['AWSPENDING'] })
    const { error } = await rotation.invoke({ SecretId, ClientRequestToken, Step: 'setSecret' })
    expect(error?.errorMessage).toContain('AWSPENDING has another host than this rotation gave it')
    expect(sent).toEqual([])
    expect(rotation.output).not.toContain(password)
  })

  test('RotateImmediately=false tries the login in use, and changes nothing', async () => {
    await startRotation(product)
    const before = await createUser(product)
    const SecretId = fieldsSecret(before)
    await sdk.rotateSecret({ SecretId, RotationLambdaARN: FUNCTION_ARN, RotateImmediately: false })
    expect(await product.secretsManager.secrets.rotated(SecretId)).toBeUndefined()
    expect(sent.length).toBeGreaterThan(0)
    expect(await login(SecretId)).toEqual(before)
    expect(Object.keys((await sdk.describeSecret({ SecretId })).VersionIdsToStages ?? {})).toHaveLength(1)
  })
})
