/** The four steps of a rotation. Each may be repeated, and begun again after it was interrupted. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Password } from '../../src/base/password.ts'
import { changeAsMaster, changeOwnPassword, otherUser } from './changed-password.ts'
import { newPassword } from './password.ts'
import { type LoginFields, readLogin, withLogin } from './rewritten-secret.ts'
import { RotationError } from './rotation-error.ts'
import { AWSCURRENT, type SecretVersions } from './secret-versions.ts'
import { isRefusedLogin, withSession } from './session.ts'

/** One rotation. */
export interface Rotation {
  readonly secretId: string
  /** The id of the version that it makes. */
  readonly token: string
  /** The key of the connection string in a JSON secret. */
  readonly secretKey: string | undefined
  /** Of the user who changes the passwords of two users in turns; undefined: one user changes its own. */
  readonly masterSecretId: string | undefined
  readonly versions: SecretVersions
  /** Each password that was read: no message may hold it. */
  readonly passwords: Password[]
  readonly remainingMs: () => number
}

/** The library does not try a refused login again for a minute. */
const AGAIN_AFTER_MS = 61_000
/** What a login takes at most. */
const LOGIN_MS = 10_000

function read(rotation: Rotation, text: string, name: string, key = rotation.secretKey): LoginFields {
  const login = readLogin(text, { key, origin: { code: 'ERR_SECRET_INVALID', name } })
  rotation.passwords.push(login.password)
  return login
}

async function readCurrent(rotation: Rotation): Promise<LoginFields> {
  return read(rotation, await rotation.versions.current(), 'AWSCURRENT')
}

/** Makes the version AWSPENDING: the secret in use with a new password, and with the other user's name where two take turns. */
async function createSecret(rotation: Rotation): Promise<void> {
  const { versions, token, secretKey: key, masterSecretId } = rotation
  const text = await versions.current()
  const { user } = read(rotation, text, 'AWSCURRENT')
  if ((await versions.pending(token)) !== undefined) return
  const login = { user: masterSecretId === undefined ? user : otherUser(user), password: newPassword() }
  const origin = { code: 'ERR_SECRET_INVALID', name: 'AWSCURRENT' } as const
  await versions.putPending(token, withLogin(text, { key, origin }, login))
}

async function readPending(rotation: Rotation): Promise<LoginFields | undefined> {
  const text = await rotation.versions.pending(rotation.token)
  return text === undefined ? undefined : read(rotation, text, 'AWSPENDING')
}

/** A version that somebody else wrote must not have its password set at another server, or for another user. */
function checkPending(current: LoginFields, pending: LoginFields, user: string): void {
  const other = (['host', 'port', 'dbname', 'cluster'] as const).find((name) => current[name] !== pending[name])
  const wrong = other ?? (pending.user === user ? undefined : 'user')
  if (wrong === undefined) return
  throw new RotationError(`AWSPENDING has another ${wrong} than this rotation gave it`, {
    code: 'ERR_SECRET_INVALID',
    hint: 'Remove the stage AWSPENDING from that version (update-secret-version-stage), and rotate again.',
  })
}

/** The login of the master user; what its secret lacks is as in the secret of the users. */
async function readMaster(rotation: Rotation, masterSecretId: string, current: LoginFields): Promise<LoginFields> {
  const master = read(rotation, await rotation.versions.current(masterSecretId), 'the master secret', undefined)
  const hosts = [master.host ?? current.host, current.host].map((host) => host?.toLowerCase())
  const isOneOfTwo = [current.user, otherUser(current.user)].includes(master.user)
  if (hosts[0] === hosts[1] && !isOneOfTwo) return { ...current, ...master }
  const found = isOneOfTwo ? `names user "${master.user}", whose password is rotated` : 'names another host'
  throw new RotationError(`the master secret ${found}`, {
    code: 'ERR_SECRET_INVALID',
    hint: 'It needs the login of another user, at the same server.',
  })
}

/** Gives the user its new password at the database. */
async function setSecret(rotation: Rotation): Promise<void> {
  const { masterSecretId } = rotation
  const current = await readCurrent(rotation)
  const pending = await readPending(rotation)
  if (pending === undefined) {
    throw new RotationError('AWSPENDING has no value', { code: 'ERR_SECRET_INVALID', hint: 'Run createSecret before.' })
  }
  checkPending(current, pending, masterSecretId === undefined ? current.user : otherUser(current.user))
  if (masterSecretId === undefined) return changeOwnPassword(current, pending)
  await changeAsMaster(await readMaster(rotation, masterSecretId, current), current, pending)
}

/**
 * Logs in with AWSPENDING; a second time after a while, since another node of a cluster may not know the password yet.
 * Before a rotation, when Secrets Manager only tries the function out, AWSCURRENT is what there is.
 */
async function testSecret(rotation: Rotation): Promise<void> {
  const login = (await readPending(rotation)) ?? (await readCurrent(rotation))
  try {
    await withSession(login, async () => undefined)
  } catch (error) {
    if (!isRefusedLogin(error) || rotation.remainingMs() < AGAIN_AFTER_MS + LOGIN_MS) throw error
    await sleep(AGAIN_AFTER_MS)
    await withSession(login, async () => undefined)
  }
}

/** Makes AWSPENDING the version in use. */
async function finishSecret({ versions, token }: Rotation): Promise<void> {
  const { stages } = await versions.describe()
  const inUse = Object.keys(stages).find((id) => stages[id]?.includes(AWSCURRENT))
  if (inUse !== token) await versions.promote(token, inUse)
}

/** By Secrets Manager's names. @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html */
export const STEPS: ReadonlyMap<string, (rotation: Rotation) => Promise<void>> = new Map(
  Object.entries({ createSecret, setSecret, testSecret, finishSecret }),
)
