/** The built rotation function, and how Secrets Manager invokes it. */
import { join } from 'node:path'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import type { RotationEvent } from '../../local/secrets-manager/rotations.ts'

/** The folder of its code. */
export const ROTATION_FUNCTION = join(import.meta.dirname, '../../dist/rotation')
export const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:123456789012:function:rotation'

/** One step, as Secrets Manager invokes it. @throws Error with the function's message */
export async function invokeStep(rotation: ExecutionEnvironment, event: RotationEvent): Promise<void> {
  const { error } = await rotation.invoke(event)
  if (error !== undefined) throw Object.assign(new Error(error.errorMessage), { name: error.errorType })
}
