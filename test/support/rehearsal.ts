/** Whether a function of a memory size has rehearsed its login when init ends, with a secret that comes later. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionEnvironment } from '../../local/lambda/execution-environment.ts'
import type { FunctionDefinition } from '../../local/lambda/function-definition.ts'
import { LAMBDA_FIXTURES } from './lambda.ts'

/** Longer than any init lasts here. */
export const LATE_SECRET_MS = 3000

/** @param start gives an environment when its runtime has asked for the first invocation */
export async function rehearsesInInit(
  folder: string,
  start: (changes: Partial<FunctionDefinition>) => Promise<ExecutionEnvironment>,
  memoryMb: number,
): Promise<boolean> {
  const mark = join(folder, `rehearsed-${memoryMb}`)
  await start({
    code: join(LAMBDA_FIXTURES, 'rehearsal'),
    handler: 'index.handler',
    memoryMb,
    environment: { REHEARSED: mark },
  })
  return existsSync(mark)
}
