/** Reads connection strings for tests, and looks for the password in every error. */
import { inspect } from 'node:util'
import { expect } from 'vitest'
import type { Origin } from '../../src/base/refusal.ts'
import type { ConnectionFields } from '../../src/connection-string/fields.ts'
import { parseConnectionString } from '../../src/connection-string/parse.ts'

const ORIGIN: Origin = { code: 'ERR_CONFIG', name: 'DATABASE_URL' }
export const CLOUD_HOST = 'cozy-otter-4821.7tt.aws-ap-southeast-1.cockroachlabs.cloud'

/** Stands for a password: no error may contain it. */
export const SECRET = 'Zq7kW2vN9x'

/** Fields with the password revealed, for comparing. */
export interface PlainFields extends Omit<ConnectionFields, 'password'> {
  readonly password?: string
}

export function plain({ password, ...rest }: ConnectionFields): PlainFields {
  return { ...rest, ...(password === undefined ? {} : { password: password.reveal() }) }
}

export function read(text: string): PlainFields {
  return plain(parseConnectionString(text, ORIGIN).fields)
}

export function warningsOf(text: string): readonly string[] {
  return parseConnectionString(text, ORIGIN).warnings
}

/** The error of what is refused, checked for the password. */
export function refusalOf(step: () => unknown): { code: string; message: string; hint: string } {
  try {
    step()
  } catch (error) {
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(SECRET)
    return error as { code: string; message: string; hint: string }
  }
  throw new Error('was accepted')
}
