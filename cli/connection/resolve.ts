/** The connection that a command is about, from secret and environment, without connecting. */

import type { ResolvedConnection } from '../../src/connection/source.ts'
import type { Arguments } from '../command.ts'
import type { Context } from '../context.ts'
import { readSubject } from '../doctor/subject.ts'
import { Walk } from '../doctor/walk.ts'

/** @throws StepFailure */
export async function resolveConnection(given: Arguments, { environment }: Context): Promise<ResolvedConnection> {
  const secretId = given.value('secret-id')
  const { connection } = await readSubject(new Walk(() => undefined), { secretId }, environment)
  return connection
}

/** The secret that is meant, for remedies. */
export function meantSecret(given: Arguments, { environment }: Context): string | undefined {
  return given.value('secret-id') ?? environment.COCKROACH_SECRET_ID
}
