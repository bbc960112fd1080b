/** What a command reads from and writes to: given by the caller, so that a test can give its own. */
import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../src/base/environment-variables.ts'

export interface Context {
  readonly environment: Environment
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Writable & { readonly isTTY?: boolean }
  readonly stderr: Writable & { readonly isTTY?: boolean }
}
