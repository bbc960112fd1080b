/** Rows 10 to 13: the secret changes, is wrong, or cannot be read. */
import type { FaultRow } from '../fault-row.ts'
import { ROTATION_ROWS } from './rotation.ts'
import { SECRETS_EXTENSION_ROWS } from './secrets-extension.ts'
import { SECRETS_MANAGER_ROWS } from './secrets-manager.ts'
import { WRONG_PASSWORD_ROWS } from './wrong-password.ts'

export const SECRETS_ROWS: readonly FaultRow[] = [
  ...ROTATION_ROWS,
  ...WRONG_PASSWORD_ROWS,
  ...SECRETS_MANAGER_ROWS,
  ...SECRETS_EXTENSION_ROWS,
]
