/** The rotation function: Secrets Manager invokes it once for each step. */

import { COCKROACH_SECRET_KEY } from '../../src/base/environment-variables.ts'
import type { Password } from '../../src/base/password.ts'
import { RotationError, stepError } from './rotation-error.ts'
import { AWSCURRENT, AWSPENDING, SecretVersions } from './secret-versions.ts'
import { type Rotation, STEPS } from './steps.ts'
import { ROTATION_MASTER_SECRET_ID } from './variables.ts'

interface RotationEvent {
  readonly SecretId: string
  readonly ClientRequestToken: string
  readonly Step: string
}

interface Context {
  getRemainingTimeInMillis(): number
}

function isRotationEvent(event: unknown): event is RotationEvent {
  if (typeof event !== 'object' || event === null) return false
  const members: Readonly<Record<string, unknown>> = { ...event }
  return ['SecretId', 'ClientRequestToken', 'Step'].every((name) => typeof members[name] === 'string')
}

/** True when there is something to do. @throws RotationError when this is no rotation that Secrets Manager began */
async function isUnderWay({ versions, token }: Rotation): Promise<boolean> {
  const { isEnabled, stages } = await versions.describe()
  const own = stages[token]
  if (own?.includes(AWSCURRENT) === true) return false
  const problem = !isEnabled
    ? 'rotation is not switched on for it'
    : own === undefined
      ? 'it has no version with the id of this rotation'
      : own.includes(AWSPENDING)
        ? undefined
        : `its version of this rotation is not ${AWSPENDING}`
  if (problem === undefined) return true
  throw new RotationError(problem, {
    code: 'ERR_CONFIG',
    hint: 'Start a rotation with aws secretsmanager rotate-secret, which invokes this function.',
  })
}

/**
 * Does one step of a rotation; a step that was done before does nothing.
 * @throws RotationError that says step, secret, user and what to change, and holds no password.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotating-secrets-lambda-function-overview.html
 */
export async function handler(event: unknown, context: Context): Promise<void> {
  const step = isRotationEvent(event) ? STEPS.get(event.Step) : undefined
  if (!isRotationEvent(event) || step === undefined) {
    throw new RotationError(
      `the event is no step of a rotation; expected SecretId, ClientRequestToken and Step: ${[...STEPS.keys()].join(', ')}`,
      {
        code: 'ERR_CONFIG',
        hint: 'Start a rotation with aws secretsmanager rotate-secret, which invokes this function.',
      },
    )
  }
  const { SecretId: secretId, ClientRequestToken: token, Step: name } = event
  const { [COCKROACH_SECRET_KEY]: secretKey, [ROTATION_MASTER_SECRET_ID]: masterSecretId } = process.env
  const passwords: Password[] = []
  using versions = new SecretVersions(secretId)
  const remainingMs = () => context.getRemainingTimeInMillis()
  const rotation: Rotation = { secretId, token, secretKey, masterSecretId, versions, passwords, remainingMs }
  try {
    if (await isUnderWay(rotation)) await step(rotation)
  } catch (error) {
    throw stepError(error, name, secretId, passwords)
  }
}
