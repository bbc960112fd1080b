/** What tests of settings share. */
import { inspect } from 'node:util'
import { expect } from 'vitest'
import { ConnectionError } from '../../src/base/connection-error.ts'
import type { DatabaseOptions } from '../../src/settings/database-options.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { SECRET } from './connection-string.ts'

export type Environment = Readonly<Record<string, string>>

/** An environment that names a secret, so that nothing is missing. */
export const WITH_SECRET: Environment = { COCKROACH_SECRET_ID: 'app/db' }

/** What is wrong, as the one error reports it; the error contains no password. */
export function problemsOf(options: object, environment: Environment = WITH_SECRET): string {
  try {
    readSettings(options as DatabaseOptions, environment)
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    expect(error).toMatchObject({ code: 'ERR_CONFIG', safeToRetry: true, hint: expect.any(String) })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(SECRET)
    return error.message
  }
  throw new Error('these settings were accepted')
}

/** The settings with what is read later read now, so that they compare. */
export function readNow(options: DatabaseOptions, environment: Environment) {
  const { platform, ...settings } = readSettings(options, environment)
  const { sessionToken, roleAccess, stsAccess, isBeforeSnapshot, ...others } = platform
  const readLater = {
    sessionToken: sessionToken(),
    roleAccess: roleAccess(),
    stsAccess: stsAccess(),
    isBeforeSnapshot: isBeforeSnapshot(),
  }
  return { ...settings, platform: { ...others, ...readLater } }
}
