/** The built rotation function on the built layer, and the secrets and users that it rotates. */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import { startOnLayer } from './layer-function.ts'
import type { Product } from './product.ts'
import { FUNCTION_ARN, invokeStep, ROTATION_FUNCTION } from './rotation-function.ts'

/** Starts the function, and has RotateSecret invoke it; it ends with its test. */
export async function startRotation(
  product: Product,
  environment: Readonly<Record<string, string>> = {},
): Promise<ExecutionEnvironment> {
  const changes = { environment: { COCKROACH_SECRET_ID: '', ...environment } }
  const rotation = await startOnLayer(product, ROTATION_FUNCTION, changes)
  product.secretsManager.secrets.rotationFunction(FUNCTION_ARN, async (event) => {
    await invokeStep(rotation, event)
  })
  return rotation
}

export interface RotatedUser {
  readonly user: string
  readonly password: string
}

/** A user of the product's database, dropped with its clone when the test ends. */
export async function createUser({ cloud: { postgres } }: Product, options = ''): Promise<RotatedUser> {
  const [user, password] = [`app_${randomBytes(4).toString('hex')}`, `old-${randomBytes(12).toString('hex')}`]
  await postgres.createUser(user, password)
  if (options !== '') await postgres.query(`ALTER ROLE ${pg.escapeIdentifier(user)} ${options}`)
  onTestFinished(async () => {
    await postgres.dropUser(`${user}_clone`)
    await postgres.dropUser(user)
  })
  return { user, password }
}

/** True when the server admits this login. */
export async function logsIn({ cloud }: Product, { user, password }: RotatedUser): Promise<boolean> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: cloud.port,
    database: cloud.database,
    user,
    password,
    ssl: false,
  })
  try {
    await client.connect()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '28P01') return false
    throw error
  } finally {
    await client.end()
  }
}
