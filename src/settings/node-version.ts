/** Refuses a Node.js that lacks what this library calls, before the first call fails with an error that does not say so. */
import { ConnectionError } from '../base/connection-error.ts'

const MIN_MAJOR = 22

/** @throws ConnectionError `ERR_CONFIG` on a Node.js before 22. */
export function refuseOldNode(version: string): void {
  if (Number.parseInt(version, 10) >= MIN_MAJOR) return
  throw new ConnectionError('ERR_CONFIG', `this is Node.js ${version}; cockroach-lambda needs ${MIN_MAJOR} or later`, {
    hint: 'On Lambda, set the runtime of the function to nodejs24.x.',
  })
}
