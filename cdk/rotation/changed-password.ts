/** Gives a user its new password: the user itself does, or a master user. */
import { scramVerifier } from './password.ts'
import type { LoginFields } from './rewritten-secret.ts'
import { RotationError } from './rotation-error.ts'
import { isRefusedLogin, type Session, withSession } from './session.ts'

/** What each server uses by itself: more would make each login slower, and fewer each guess faster. */
const ITERATIONS = { cockroachdb: 10_610, postgresql: 4096 }

/** As AWS's own rotation functions name the second user. */
const CLONE_SUFFIX = '_clone'
/** Both servers: PostgreSQL cuts a longer name, and would make another user. */
const LONGEST_NAME_BYTES = 63

/**
 * The user whose turn it is next: `app`, `app_clone`, `app`, …
 * @throws RotationError when its name is too long
 */
export function otherUser(user: string): string {
  const other = user.endsWith(CLONE_SUFFIX) ? user.slice(0, -CLONE_SUFFIX.length) : `${user}${CLONE_SUFFIX}`
  if (other !== '' && Buffer.byteLength(other) <= LONGEST_NAME_BYTES) return other
  throw new RotationError(`user "${user}" can have no second user ${user}${CLONE_SUFFIX}: a name has 1 to 63 bytes`, {
    code: 'ERR_SECRET_INVALID',
    hint: 'Rotate the password of one user, without masterSecret.',
  })
}

async function passwordClause({ isCockroach, literal }: Session, { password }: LoginFields): Promise<string> {
  const iterations = isCockroach ? ITERATIONS.cockroachdb : ITERATIONS.postgresql
  return `PASSWORD ${literal(await scramVerifier(password.reveal(), iterations))}`
}

async function changeOwn(session: Session, pending: LoginFields): Promise<void> {
  const user = session.identifier(pending.user)
  // Nothing but the password: CockroachDB allows no more to a user without privileges.
  await session.change(
    `ALTER USER ${user} ${await passwordClause(session, pending)}`,
    `changing the password of user "${pending.user}"`,
    session.isCockroach
      ? `Run once as an administrator: SET CLUSTER SETTING sql.auth.change_own_password.enabled = true; or ALTER USER ${user} WITH CREATEROLE CREATELOGIN`
      : 'Let another user change it: rotate with masterSecret.',
  )
}

/**
 * The user changes its own password. AWSCURRENT is tried first, so that a rotation causes no refused login; that it is
 * refused means mostly that this step has run before.
 */
export async function changeOwnPassword(current: LoginFields, pending: LoginFields): Promise<void> {
  try {
    return await withSession(current, (session) => changeOwn(session, pending))
  } catch (error) {
    if (!isRefusedLogin(error)) throw error
  }
  try {
    await withSession(pending, async () => undefined)
  } catch (error) {
    if (!isRefusedLogin(error)) throw error
    throw new RotationError(
      `the server refuses user "${pending.user}" with the password of AWSCURRENT, and with that of AWSPENDING`,
      {
        code: 'ERR_AUTHENTICATION',
        hint: 'Change the password in SQL to that of AWSCURRENT, or store the right one; then rotate again.',
      },
    )
  }
}

function masterHint({ isCockroach, identifier }: Session, master: string, original: string): string {
  const [user, app] = [identifier(master), identifier(original)]
  return isCockroach
    ? `Run once as an administrator: ALTER USER ${user} WITH CREATEROLE CREATELOGIN; GRANT ${app} TO ${user} WITH ADMIN OPTION (an admin's password is changed by an admin only)`
    : `Run once as a superuser: ALTER ROLE ${user} CREATEROLE; GRANT ${app} TO ${user} WITH ADMIN OPTION`
}

/**
 * A master user changes the password of the user whose turn it is, and makes that user when it is missing: with the rights
 * of the original, as its member.
 */
export async function changeAsMaster(master: LoginFields, current: LoginFields, pending: LoginFields): Promise<void> {
  const user = pending.user
  const isClone = user === `${current.user}${CLONE_SUFFIX}`
  await withSession(master, async (session) => {
    const hint = masterHint(session, master.user, isClone ? current.user : user)
    const exists = await session.hasRow('select 1 from pg_catalog.pg_roles where rolname = $1', [user])
    if (!exists && !isClone) {
      throw new RotationError(`user "${user}", whose turn it is, does not exist at the server`, {
        code: 'ERR_CONFIG',
        hint: `Create it, or store the login of a user whose name does not end in ${CLONE_SUFFIX}.`,
      })
    }
    const [verb, doing] = exists ? ['ALTER', 'changing the password of'] : ['CREATE', 'creating']
    await session.change(
      `${verb} USER ${session.identifier(user)} ${await passwordClause(session, pending)}`,
      `${doing} user "${user}"`,
      hint,
    )
    if (!isClone) return
    await session.change(
      `GRANT ${session.identifier(current.user)} TO ${session.identifier(user)}`,
      `granting "${current.user}" to user "${user}"`,
      hint,
    )
  })
}
