/** What a row may change about the function and the stand-ins. */
import type { CloudStandInOptions } from '../../local/cloud/stand-in.ts'

export interface StageSettings {
  /** Environment variables of the function. */
  readonly environment?: Readonly<Record<string, string>>
  /** @default 4, more on a busy machine */
  readonly timeoutSeconds?: number
  /** `commonjs.handler` is the CommonJS entry of our subject. @default index.handler */
  readonly handler?: string
  /** Further layers of the function: folders or zip files. */
  readonly layers?: readonly string[]
  /** `jwt`: without a secret, by a token of STS. @default by the password in the secret */
  readonly auth?: 'jwt'
  readonly cloud?: Partial<CloudStandInOptions>
  /** A PostgreSQL of the row's own, to be restarted; with these settings. @default the shared one */
  readonly ownPostgres?: Readonly<Record<string, string>>
}
