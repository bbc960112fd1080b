/** Row 10: the password is rotated while the function uses it. */
import { randomBytes } from 'node:crypto'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import type { ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts'
import { FUNCTION_ARN, invokeStep, ROTATION_FUNCTION } from '../../support/rotation-function.ts'
import type { FaultRow } from '../fault-row.ts'
import { allAnswered } from '../promises.ts'
import { between } from '../random.ts'
import type { Stage } from '../stage.ts'

/** Past the time to live of the secret and of an idle connection. */
export const LONG_MS = [350_000, 900_000] as const

export function newPassword(): string {
  return `pw-${randomBytes(15).toString('hex')}`
}

/** Secret and database change together. */
export async function rotate(stage: Stage): Promise<void> {
  const password = newPassword()
  await stage.changePassword(password)
  stage.secretsManager.secrets.put(stage.secretId, stage.secretText({ password }))
}

/** The function loses its connection while it is frozen: killed, or too old by the time of the next invocation. */
export async function writeOnNewConnection(stage: Stage, environment: ExecutionEnvironment): Promise<void> {
  await environment.freeze()
  await Promise.all(stage.cloud.connections.map((connection) => connection.end()))
  const advanceMs = stage.random() < 0.5 ? between(stage.random, 0, 50_000) : between(stage.random, ...LONG_MS)
  await stage.write(environment, { advanceMs })
}

/** Every call was answered, and a rotation cost at most `limit` refused logins. */
function answeredWithFewRefusals(limit: number): FaultRow['brokenPromises'] {
  return (stage) => {
    const { logins, authOk } = stage.cloud.counts
    const isStorm = logins - authOk > limit * stage.tally.injected
    return [...allAnswered(stage), ...(isStorm ? [`${logins - authOk} logins were refused`] : [])]
  }
}

/** Secrets Manager rotates the secret with the package's function; the caller's function opens a connection after each step. */
async function rotateByFunction(stage: Stage, environment: ExecutionEnvironment): Promise<void> {
  const { secrets, url } = stage.secretsManager
  await using rotation = await stage.startEnvironment({
    code: ROTATION_FUNCTION,
    environment: { COCKROACH_SECRET_ID: '' },
  })
  secrets.rotationFunction(FUNCTION_ARN, async (event) => {
    await invokeStep(rotation, event)
    await writeOnNewConnection(stage, environment)
  })
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-real-key' }
  const sdk = new SecretsManager({ endpoint: url, region: 'ap-southeast-1', credentials })
  await sdk.rotateSecret({ SecretId: stage.secretId, RotationLambdaARN: FUNCTION_ARN })
  const error = await secrets.rotated(stage.secretId)
  if (error !== undefined) stage.findings.push(`the rotation failed: ${String(error)}`)
  sdk.destroy()
}

export const ROTATION_ROWS: readonly FaultRow[] = [
  {
    id: '10a',
    fault: 'password rotated while warm, connection lost',
    caller: 'the answer, with the new password',
    database: 'every write once; at most one refused login for each rotation',
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      await rotate(stage)
      await writeOnNewConnection(stage, environment)
    },
    brokenPromises: answeredWithFewRefusals(1),
  },
  {
    id: '10b',
    fault: 'password rotated after the secret was read and before the login',
    caller: 'the answer, with the new password',
    database: 'every write once; at most one refused login for each rotation',
    inject: async (stage) => {
      const isCold = stage.random() < 0.5
      if (!isCold) await stage.write(await stage.sharedEnvironment())
      stage.cloud.beforeLogin = () => {
        stage.cloud.beforeLogin = undefined
        return rotate(stage)
      }
      if (!isCold) return writeOnNewConnection(stage, await stage.sharedEnvironment())
      const environment = await stage.startEnvironment()
      await stage.write(environment)
      await environment.shutdown()
    },
    brokenPromises: answeredWithFewRefusals(1),
  },
  {
    id: '10c',
    fault: 'database has the new password, AWSCURRENT the old one, AWSPENDING the new one; then promoted',
    caller: 'the answer, with the password of AWSPENDING',
    database: 'every write once; at most two refused logins for each rotation',
    inject: async (stage) => {
      const { secrets } = stage.secretsManager
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      const password = newPassword()
      const VersionId = secrets.put(stage.secretId, stage.secretText({ password }), { stages: ['AWSPENDING'] })
      await stage.changePassword(password)
      await writeOnNewConnection(stage, environment)
      await writeOnNewConnection(stage, environment)
      secrets.promote(stage.secretId, VersionId)
      await writeOnNewConnection(stage, environment)
    },
    brokenPromises: answeredWithFewRefusals(2),
  },
  {
    id: '10d',
    fault: 'rotated by the function of `database.rotate()`, connection lost after each of its steps',
    caller: 'the answer',
    database: 'every write once; at most two refused logins for each rotation',
    inject: async (stage) => {
      const environment = await stage.sharedEnvironment()
      await stage.write(environment)
      await rotateByFunction(stage, environment)
    },
    brokenPromises: answeredWithFewRefusals(2),
  },
]
