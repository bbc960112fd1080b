/** The secret that a command is about. */
import { type Arguments, UsageError } from '../command.ts'
import type { Context } from '../context.ts'

/** @throws UsageError */
export function requiredSecretId(given: Arguments, { environment }: Context): string {
  const secretId = given.value('secret-id') ?? environment.COCKROACH_SECRET_ID
  if (secretId === undefined || secretId === '')
    throw new UsageError('name the secret: --secret-id ID, or COCKROACH_SECRET_ID')
  return secretId
}
